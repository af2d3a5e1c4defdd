from files.models.content import MAX_CHUNK_SIZE, Chunk, Content
from files.models.event import Event
from files.models.file import INLINE_SIZE, ORDERINGS, File, FileQuerySet
from files.models.space import Space
from files.models.suffix_total import SuffixTotal

__all__ = [
    "INLINE_SIZE",
    "MAX_CHUNK_SIZE",
    "ORDERINGS",
    "Chunk",
    "Content",
    "Event",
    "File",
    "FileQuerySet",
    "Space",
    "SuffixTotal",
]
