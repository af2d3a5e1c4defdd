"""One example of everything that goes over the wire."""

from __future__ import annotations

from typing import Any, Final

from files.api.schema.refusals import Refusal
from files.http.problems import title_of

HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
HERE: Final = "http://127.0.0.1:8000"
FILE: Final[dict[str, Any]] = {
    "id": 1,
    "name": "report.pdf",
    "folder": "2026/spring",
    "suffix": "pdf",
    "size": 48213,
    "upload_date": "2026-03-01T12:00:00.123456Z",
    "mime_type": "application/pdf",
    "hash": HASH,
    "labels": ["urgent"],
    "download_url": f"{HERE}/download/1",
}
FILE_PAGE: Final = {
    "next": f"{HERE}/api/v1/files/?page_size=1&after=WyIyMDI2LTAzLTAxVDEyOjAwOjAwLjEyMzQ1NloiLDFd",
    "previous": None,
    "results": [FILE],
}
FILE_CHANGE: Final = {"name": "report 2026.pdf", "folder": "2026", "labels": ["urgent"]}
FORM: Final = {"folder": "2026/spring", "file": "(the file's bytes)"}
CHECK: Final = {"hashes": [HASH, "0" * 64]}
CHECKED: Final = {
    "results": [
        {"hash": HASH, "state": "stored", "id": 1},
        {"hash": "0" * 64, "state": "absent", "id": None},
    ]
}
SELECTION: Final = {"id": [1]}
LABEL: Final = {"id": 1, "name": "urgent", "color": "#dc3545"}
NEW_LABEL: Final = {"name": "urgent", "color": "#dc3545"}
LABELS: Final = {"results": [LABEL]}
TYPES: Final = {"results": [{"suffix": "pdf", "count": 1, "bytes": 48213}]}
STATS: Final = {
    "files": {"count": 1, "bytes": 48213},
    "trash": {"count": 0, "bytes": 0},
    "duplicates_refused": 1,
    "types": [{"suffix": "pdf", "count": 1, "bytes": 48213}],
    "days": [{"day": "2026-03-01", "count": 1, "bytes": 48213, "duplicates": 1}],
    "homes": [{"home": "database", "count": 1, "bytes": 48213}],
}
UPLOAD: Final = {
    "id": "3f0c6a5e0d1b4f6f9a7c2e8d5b4a1c90",
    "state": "stored",
    "name": "report.pdf",
    "size": 48213,
    "offset": 48213,
    "expires_at": "2026-03-02T12:00:00.123456Z",
    "file": FILE,
    "existing": None,
}
WORKING: Final = {"status": "ok"}


def problem(refusal: Refusal) -> dict[str, Any]:
    """Return the answer to what is refused in this way."""
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": title_of(refusal.status),
        "status": refusal.status,
        "detail": _sentence(refusal),
        "code": refusal.code,
        "request_id": "0f8fad5bd9cb469fa165708f7a2e3f5c",
    }
    if refusal.code == "duplicate":
        told["existing"] = FILE
    if refusal.code == "invalid_filter":
        told["errors"] = {"page_size": "A whole number from 1 to 500."}
    if refusal.code == "invalid_fields":
        told["errors"] = {"color": "A color is “#” and six hexadecimal digits."}
    return told


def _sentence(refusal: Refusal) -> str:
    return refusal.when[0].upper() + refusal.when[1:].replace("`", "")
