import hashlib

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from files.models import File
from files.tests.http.fake_storage import UPLOADED, Store


@pytest.fixture
def keep(monkeypatch):
    """Return a function that makes a file of `data`, and the store that has it."""

    def make(data: bytes, **columns: object) -> tuple[File, Store]:
        store = Store(data)
        monkeypatch.setattr("files.storage.read", store.read)
        columns = {"name": "naïve.bin", "mime_type": "application/octet-stream"} | columns
        digest = hashlib.sha256(data).hexdigest()
        return File(pk=7, size=len(data), upload_date=UPLOADED, hash=digest, **columns), store

    # Closing a response says that a request has finished, and these tests have no database.
    request_finished.disconnect(close_old_connections)
    yield make
    request_finished.connect(close_old_connections)
