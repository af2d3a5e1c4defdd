"""Where bytes live. Callers say which file or content, never which home."""

from files.storage.base import ContentStorage, ContentWriter, Damage
from files.storage.chunk_rows import release_connection
from files.storage.database import require_room, room
from files.storage.faults import is_away, is_full, is_transient, refusal_of, told_in_words
from files.storage.homes import crc32, read, read_short, storage_of, verify
from files.storage.ids import read_ids
from files.storage.inspection import require_damage
from files.storage.space import empty_log, give_space_back
from files.storage.transactions import in_transaction

__all__ = [
    "ContentStorage",
    "ContentWriter",
    "Damage",
    "crc32",
    "empty_log",
    "give_space_back",
    "is_away",
    "is_full",
    "is_transient",
    "in_transaction",
    "read",
    "read_ids",
    "read_short",
    "refusal_of",
    "release_connection",
    "require_damage",
    "require_room",
    "room",
    "storage_of",
    "told_in_words",
    "verify",
]
