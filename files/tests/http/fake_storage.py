"""What the tests of downloads share: a storage in memory, and a way to ask."""

import hashlib
from datetime import UTC, datetime

from django.test import RequestFactory

from files.exceptions import CorruptContentError
from files.http.download import download_response
from files.models import File

BLOCK_SIZE = 1 << 20
SMALL = b"0123456789" * 10
LARGE = hashlib.shake_128(b"large").digest(3 * BLOCK_SIZE + 12345)
UPLOADED = datetime(2025, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
LAST_MODIFIED = "Tue, 04 Mar 2025 05:06:07 GMT"
BEFORE, AFTER = "Tue, 04 Mar 2025 05:06:06 GMT", "Tue, 04 Mar 2025 05:06:08 GMT"


class Store:
    """Stands for the storage: gives the bytes of one file, and counts what is open."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.damaged_at = len(data)
        self.read_bytes = self.open = 0

    def read(self, file, start, stop):
        self.open += 1
        try:
            while start < stop:
                end = min(stop, start - start % BLOCK_SIZE + BLOCK_SIZE)
                if end > self.damaged_at:
                    raise CorruptContentError("Content 1 is damaged.")
                self.read_bytes += end - start
                yield self.data[start:end]
                start = end
        finally:
            self.open -= 1


def ask(file: File, method: str = "GET", query: str = "", **headers: str):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory().generic(method, f"/download/{file.pk}{query}", headers=headers)
    return download_response(request, file)


def content(response) -> bytes:
    data = b"".join(response) if response.streaming else response.content
    response.close()
    if response.status_code < 300:
        assert len(data) == int(response["Content-Length"])
    return data
