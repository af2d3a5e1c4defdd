"""Where bytes live. Callers say which file or content, never which home."""

from files.storage.base import ContentStorage, ContentWriter, Damage
from files.storage.database import empty_log, give_space_back, require_room, room
from files.storage.faults import told_in_words
from files.storage.homes import crc32, read, read_short, storage_of, verify
from files.storage.inspection import require_damage

__all__ = [
    "ContentStorage",
    "ContentWriter",
    "Damage",
    "crc32",
    "empty_log",
    "give_space_back",
    "read",
    "read_short",
    "require_damage",
    "require_room",
    "room",
    "storage_of",
    "told_in_words",
    "verify",
]
