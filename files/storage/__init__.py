"""Where bytes live. Callers say which file or content, never which home."""

from files.storage.base import ContentStorage, ContentWriter
from files.storage.database import empty_log, give_space_back, require_room, room
from files.storage.faults import told_in_words
from files.storage.homes import read, storage_of, verify

__all__ = [
    "ContentStorage",
    "ContentWriter",
    "empty_log",
    "give_space_back",
    "read",
    "require_room",
    "room",
    "storage_of",
    "told_in_words",
    "verify",
]
