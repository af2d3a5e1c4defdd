"""Takes a file in piece by piece, over days, processes and servers (tus, docs/http.md).

Entry points: create_upload, begin_piece with append and end_piece or drop_piece, find_upload,
terminate_upload; create_final and assemble put uploads together. What counts is the upload's row:
each batch of chunk rows moves its `offset` and its running hash in the same transaction, and only
if the row still names the request as its writer. Who claims it last, writes; at any moment the
server may die, and the next request goes on at `offset`. Memory: as `uploads`.
"""

from files.services.resumable.claims import Piece
from files.services.resumable.concatenation import assemble, create_final
from files.services.resumable.pieces import (
    append,
    begin_piece,
    create_upload,
    drop_piece,
    end_piece,
    find_upload,
)
from files.services.resumable.rows import terminate_upload

__all__ = [
    "Piece",
    "append",
    "assemble",
    "begin_piece",
    "create_final",
    "create_upload",
    "drop_piece",
    "end_piece",
    "find_upload",
    "terminate_upload",
]
