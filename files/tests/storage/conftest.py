from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import transaction

from files.models import Content
from files.storage import ContentStorage, ContentWriter, storage_of
from files.tests.storage.harm import HARMS, Harm


@dataclass(frozen=True)
class Home:
    """A storage under test, and what harms it."""

    storage: ContentStorage
    harm: Harm

    def write(self, data: bytes, piece: int = 300_007) -> Content:
        """Store `data`, which comes in pieces, and return what a reader would find."""
        writer = self.storage.open_writer()
        for start in range(0, len(data), piece):
            writer.append(data[start : start + piece])
        return commit(writer)

    def read(self, content: Content, start: int = 0, stop: int | None = None) -> bytes:
        """Return a range, by default all that there is."""
        return b"".join(self.storage.read(content, start, content.size if stop is None else stop))


def commit(writer: ContentWriter) -> Content:
    """Flush as a service does, and return what a reader would find."""
    writer.seal()
    with transaction.atomic():
        writer.flush()
    return Content.objects.get(pk=writer.content.pk)


@pytest.fixture(params=sorted(HARMS))
def home(request: pytest.FixtureRequest) -> Home:
    """Return each home in turn."""
    return Home(storage_of(request.param), HARMS[request.param])
