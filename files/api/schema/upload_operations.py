"""Resumable uploads; those of their methods that no route of REST framework tells are apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from files.api.schema import examples, refusals
from files.api.schema.operation import BYTES, Answer, Body, Operation, json_body
from files.api.schema.parts import UPLOADS
from files.api.serializers import UploadSerializer
from files.http.tus_headers import PIECE_TYPE

Key = tuple[str, str]

_ALL: Final = "/api/v1/uploads/"
_ONE: Final = "/api/v1/uploads/{upload_id}/"
_UPLOAD: Final = json_body(UploadSerializer, examples.UPLOAD)
_PIECE: Final = (Body(kind=BYTES, media_type=PIECE_TYPE),)
_PROGRESS: Final = ("Tus-Resumable", "Upload-Offset", "Upload-Expires")
_STATE: Final = (
    *_PROGRESS,
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Concat",
    "Cache-Control",
)
_SERVER: Final = Answer(
    description="What it can.",
    headers=(
        "Tus-Resumable",
        "Tus-Version",
        "Tus-Extension",
        "Tus-Checksum-Algorithm",
        "Tus-Max-Size",
    ),
)

UPLOAD_OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("POST", _ALL): Operation(
        id="uploads_create",
        tag=UPLOADS,
        summary="Begin a resumable upload",
        parameters=(
            "Tus-Resumable",
            "Upload-Length",
            "Upload-Defer-Length",
            "Upload-Metadata",
            "Upload-Concat",
            "Upload-Checksum",
            "Repr-Digest",
        ),
        bodies=_PIECE,
        needs_body=False,
        answers={
            201: Answer(
                description=(
                    "The upload. While others are put together, white space comes before it, and"
                    " where that fails a problem in its place."
                ),
                bodies=_UPLOAD,
                headers=("Location", *_PROGRESS, "Upload-Concat"),
            )
        },
        refusals=refusals.UPLOAD_CREATE,
    ),
    ("GET", _ONE): Operation(
        id="uploads_retrieve",
        tag=UPLOADS,
        summary="Look at a resumable upload",
        parameters=("upload_id",),
        answers={200: Answer(description="The upload.", bodies=_UPLOAD, headers=_STATE)},
        refusals=refusals.UPLOAD_LOOK,
    ),
    ("PATCH", _ONE): Operation(
        id="uploads_partial_update",
        tag=UPLOADS,
        summary="Send the next bytes",
        parameters=(
            "upload_id",
            "Tus-Resumable",
            "Upload-Offset",
            "Upload-Length-Deferred",
            "Upload-Checksum",
        ),
        bodies=_PIECE,
        answers={204: Answer(description="They are kept.", headers=_PROGRESS)},
        refusals=refusals.UPLOAD_PIECE,
    ),
    ("DELETE", _ONE): Operation(
        id="uploads_destroy",
        tag=UPLOADS,
        summary="Give up a resumable upload",
        parameters=("upload_id", "Tus-Resumable"),
        answers={204: Answer(description="It is gone.", headers=("Tus-Resumable",))},
        refusals=refusals.UPLOAD_DELETE,
    ),
}
UNLISTED_OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("OPTIONS", _ALL): Operation(
        id="uploads_options",
        tag=UPLOADS,
        summary="Ask what the server can",
        description="Tell versions and extensions of the protocol, algorithms, and the limit.",
        answers={204: _SERVER},
        refusals=refusals.ANY,
    ),
    ("HEAD", _ONE): Operation(
        id="uploads_retrieve_head",
        tag=UPLOADS,
        summary="Ask where to go on",
        description="Tell how far an upload is.",
        parameters=("upload_id", "Tus-Resumable"),
        answers={200: Answer(description="The upload is there.", headers=_STATE)},
        refusals=refusals.UPLOAD_HEAD,
    ),
    ("OPTIONS", _ONE): Operation(
        id="uploads_options_detail",
        tag=UPLOADS,
        summary="Ask what the server can",
        description="Tell the same as for all uploads, whether or not there is this one.",
        parameters=("upload_id",),
        answers={204: _SERVER},
        refusals=refusals.ONE,
    ),
}
