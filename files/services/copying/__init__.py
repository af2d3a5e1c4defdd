"""Carries a library from one database into another."""

from files.services.copying.databases import (
    CopyRefusedError,
    UnreachableError,
    connect,
    described,
    opened,
    require_source,
    sqlite_file,
)
from files.services.copying.library import CopyReport, LibraryCopy, library_size
from files.services.copying.mark import require_usable, unfinished_copy

__all__ = [
    "CopyRefusedError",
    "CopyReport",
    "LibraryCopy",
    "UnreachableError",
    "connect",
    "described",
    "library_size",
    "opened",
    "require_source",
    "require_usable",
    "sqlite_file",
    "unfinished_copy",
]
