from files.models.content import MAX_CHUNK_SIZE, Chunk, Content
from files.models.event import Event
from files.models.file import INLINE_SIZE, ORDERINGS, File, FileQuerySet, names_by_file
from files.models.index_order import first_rows, in_index_order
from files.models.inserting import insert
from files.models.label import Label
from files.models.space import Space
from files.models.total import Total
from files.models.upload import Upload

__all__ = [
    "INLINE_SIZE",
    "MAX_CHUNK_SIZE",
    "ORDERINGS",
    "Chunk",
    "Content",
    "Event",
    "File",
    "FileQuerySet",
    "Label",
    "Space",
    "Total",
    "Upload",
    "first_rows",
    "in_index_order",
    "insert",
    "names_by_file",
]
