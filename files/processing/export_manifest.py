"""The list of what an export holds: written beside it, and gone through to check it.

Entry point: Manifest, kept in a temporary file however many files there are.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from files.models import File

# Beside the files, or in the archive.
SUMS_NAME = "SHA256SUMS"
DETAILS_NAME = "manifest.jsonl"
_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A file that was exported."""

    details: dict[str, Any]  # for people and programs: see Manifest.add
    position: int | None  # in the archive, of its first byte
    is_proven: bool  # it was there already, and was read

    @property
    def path(self) -> str:
        return str(self.details["path"])

    @property
    def size(self) -> int:
        return int(self.details["size"])

    @property
    def hash(self) -> str:
        return str(self.details["hash"])


class Manifest:
    """The lines of one export, in order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # see close

    def add(self, file: File, path: str, *, position: int | None, is_proven: bool) -> None:
        """Note that `file` is exported as `path`; a query for its labels unless prefetched."""
        details = {
            "id": file.pk,
            "name": file.name,
            "folder": file.folder,
            "path": path,
            "size": file.size,
            "hash": file.hash,
            "upload_date": file.upload_date.isoformat(),
            "mime_type": file.mime_type,
            "labels": sorted(label.name for label in file.labels.all()),
        }
        self._file.write(_encoded(asdict(Line(details, position, is_proven))))

    def lines(self) -> Iterator[Line]:
        """Yield all lines; nothing may be added meanwhile."""
        self._file.seek(0)
        for line in self._file:
            yield Line(**json.loads(line))

    def sums(self) -> Iterator[bytes]:
        """Yield the lines that `sha256sum --check` reads.

        It wants backslashes and line ends escaped, which no path has.
        """
        for line in self.lines():
            yield f"{line.hash}  {line.path}\n".encode()

    def details(self) -> Iterator[bytes]:
        """Yield a line of JSON for each file."""
        for line in self.lines():
            yield _encoded(line.details)

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()


def _encoded(value: dict[str, Any]) -> bytes:
    # A half of a surrogate pair, which a name may hold, is escaped.
    return json.dumps(value).encode() + b"\n"
