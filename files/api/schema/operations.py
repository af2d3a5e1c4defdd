"""What each operation takes and answers, apart from its docstring; the key is its route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from files.api.schema import examples, refusals
from files.api.schema.operation import BYTES, FORM, Answer, Body, Operation, json_body
from files.api.schema.parts import (
    FIGURES,
    FILES,
    FILTER_PARAMETERS,
    LABELS,
    LIST_PARAMETERS,
    PLAIN,
    SELECTION,
)
from files.api.schema.upload_operations import UPLOAD_OPERATIONS
from files.api.serializers import (
    CheckedSerializer,
    CheckSerializer,
    FilePageSerializer,
    FilePatchSerializer,
    FileSerializer,
    LabelListSerializer,
    LabelSerializer,
    StatsSerializer,
    TypeListSerializer,
)

_FILE: Final = json_body(FileSerializer, examples.FILE)
_STORED: Final = Answer(description="The file, stored.", bodies=_FILE)
_MADE: Final = Answer(description="The file, stored.", bodies=_FILE, headers=("Location",))
_FORM: Final = Body(kind=FORM, media_type="multipart/form-data", example=examples.FORM)
_DIGESTS: Final = ("Repr-Digest", "Content-Digest")
_ANY_TYPE: Final = (Body(kind=BYTES, media_type="*/*"),)
_CONTENT_HEADERS: Final = (
    "Accept-Ranges",
    "Content-Disposition",
    "ETag",
    "Last-Modified",
    "Repr-Digest",
)
_DOWNLOAD: Final[dict[str, Any]] = {
    "answers": {
        200: Answer(description="The file's bytes.", bodies=_ANY_TYPE, headers=_CONTENT_HEADERS),
        206: Answer(
            description=(
                "The bytes of the range; of several as `multipart/byteranges`, each with its own"
                " `Content-Range`."
            ),
            bodies=_ANY_TYPE,
            headers=(*_CONTENT_HEADERS, "Content-Range"),
        ),
        304: Answer(
            description="The client has these bytes already.", headers=("ETag", "Last-Modified")
        ),
    },
    "parameters": (
        "file_id",
        "disposition",
        "Range",
        "If-Range",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Unmodified-Since",
    ),
    "refusals": refusals.DOWNLOAD,
}
_DELETE: Final[dict[str, Any]] = {
    "answers": {204: Answer(description="It is in the trash.")},
    "parameters": ("file_id", "If-Match"),
    "refusals": refusals.DELETE,
}
_TOO_LONG: Final = Answer(description="The address is longer than 64 KiB; without a body.")
_ARCHIVE: Final = Answer(
    description="A ZIP archive of the files, in folders as they are.",
    bodies=(Body(kind=BYTES, media_type="application/zip"),),
    headers=("Content-Disposition",),
)
_VERSION: Final = Answer(description="The file.", bodies=_FILE, headers=("ETag",))

OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/upload"): Operation(
        id="upload",
        tag=PLAIN,
        summary="Upload a form",
        parameters=_DIGESTS,
        bodies=(_FORM,),
        answers={200: _STORED},
        refusals=refusals.UPLOAD_FORM,
    ),
    ("PUT", "/upload/{name}"): Operation(
        id="upload_bytes",
        tag=PLAIN,
        summary="Upload plain bytes",
        parameters=("path_name", *_DIGESTS),
        bodies=(Body(kind=BYTES, media_type="application/octet-stream"),),
        answers={200: _STORED},
        refusals=refusals.UPLOAD_BYTES,
    ),
    ("GET", "/files"): Operation(
        id="list_all",
        tag=PLAIN,
        summary="List all files",
        parameters=LIST_PARAMETERS,
        answers={
            200: Answer(
                description="The files.",
                bodies=json_body(FileSerializer, [examples.FILE], many=True),
            ),
            414: _TOO_LONG,
        },
        refusals=refusals.FILTERED,
    ),
    ("GET", "/download/{file_id}"): Operation(
        id="download",
        tag=PLAIN,
        summary="Download a file",
        **_DOWNLOAD,
    ),
    ("DELETE", "/delete/{file_id}"): Operation(
        id="delete",
        tag=PLAIN,
        summary="Delete a file",
        **_DELETE,
    ),
    ("GET", "/api/v1/files/"): Operation(
        id="files_list",
        tag=FILES,
        summary="List a page of files",
        parameters=(*LIST_PARAMETERS, "page_size", "after", "before"),
        answers={
            200: Answer(
                description="One page.", bodies=json_body(FilePageSerializer, examples.FILE_PAGE)
            ),
            414: _TOO_LONG,
        },
        refusals=refusals.FILTERED,
    ),
    ("POST", "/api/v1/files/"): Operation(
        id="files_create",
        tag=FILES,
        summary="Upload a form",
        parameters=_DIGESTS,
        bodies=(_FORM,),
        answers={201: _MADE},
        refusals=refusals.UPLOAD_FORM,
    ),
    ("GET", "/api/v1/files/{file_id}/"): Operation(
        id="files_retrieve",
        tag=FILES,
        summary="Look at a file",
        parameters=("file_id", "If-None-Match"),
        answers={
            200: _VERSION,
            304: Answer(description="It is still in this version.", headers=("ETag",)),
        },
        refusals=refusals.ONE,
    ),
    ("PATCH", "/api/v1/files/{file_id}/"): Operation(
        id="files_partial_update",
        tag=FILES,
        summary="Change a file",
        parameters=("file_id", "If-Match"),
        bodies=(Body(kind=FilePatchSerializer, example=examples.FILE_CHANGE),),
        needs_body=False,
        answers={200: _VERSION},
        refusals=refusals.EDIT,
    ),
    ("DELETE", "/api/v1/files/{file_id}/"): Operation(
        id="files_destroy",
        tag=FILES,
        summary="Delete a file",
        **_DELETE,
    ),
    ("GET", "/api/v1/files/{file_id}/content/"): Operation(
        id="files_content",
        tag=FILES,
        summary="Download a file",
        **_DOWNLOAD,
    ),
    ("POST", "/api/v1/files/check/"): Operation(
        id="files_check",
        tag=FILES,
        summary="Check which files are stored",
        bodies=(Body(kind=CheckSerializer, example=examples.CHECK),),
        answers={
            200: Answer(
                description="What is known of each hash, in the order they were asked for.",
                bodies=json_body(CheckedSerializer, examples.CHECKED),
            )
        },
        refusals=refusals.CHECK,
    ),
    ("GET", "/api/v1/files/archive/"): Operation(
        id="files_archive",
        tag=FILES,
        summary="Download several files",
        parameters=("id", *FILTER_PARAMETERS),
        answers={200: _ARCHIVE, 414: _TOO_LONG},
        refusals=refusals.ARCHIVE,
    ),
    ("POST", "/api/v1/files/archive/"): Operation(
        id="files_archive_post",
        tag=FILES,
        summary="Download many files",
        bodies=tuple(
            Body(kind=SELECTION, media_type=media_type, example=examples.SELECTION)
            for media_type in ("application/json", "application/x-www-form-urlencoded")
        ),
        needs_body=False,
        answers={200: _ARCHIVE},
        refusals=refusals.ARCHIVE_POST,
    ),
    ("GET", "/api/v1/labels/"): Operation(
        id="labels_list",
        tag=LABELS,
        summary="List all labels",
        answers={
            200: Answer(
                description="The labels.", bodies=json_body(LabelListSerializer, examples.LABELS)
            )
        },
        refusals=refusals.ANY,
    ),
    ("POST", "/api/v1/labels/"): Operation(
        id="labels_create",
        tag=LABELS,
        summary="Make a label",
        bodies=(Body(kind=LabelSerializer, example=examples.NEW_LABEL),),
        answers={
            201: Answer(
                description="The label.",
                bodies=json_body(LabelSerializer, examples.LABEL),
                headers=("Location",),
            )
        },
        refusals=refusals.NEW_LABEL,
    ),
    ("GET", "/api/v1/labels/{label_id}/"): Operation(
        id="labels_retrieve",
        tag=LABELS,
        summary="Look at a label",
        parameters=("label_id",),
        answers={
            200: Answer(description="The label.", bodies=json_body(LabelSerializer, examples.LABEL))
        },
        refusals=refusals.ONE,
    ),
    ("PATCH", "/api/v1/labels/{label_id}/"): Operation(
        id="labels_partial_update",
        tag=LABELS,
        summary="Change a label",
        parameters=("label_id",),
        bodies=(Body(kind=LabelSerializer, example=examples.NEW_LABEL, partial=True),),
        needs_body=False,
        answers={
            200: Answer(description="The label.", bodies=json_body(LabelSerializer, examples.LABEL))
        },
        refusals=refusals.LABEL,
    ),
    ("DELETE", "/api/v1/labels/{label_id}/"): Operation(
        id="labels_destroy",
        tag=LABELS,
        summary="Remove a label",
        parameters=("label_id",),
        answers={204: Answer(description="It is gone.")},
        refusals=refusals.LABEL_DELETE,
    ),
    ("GET", "/api/v1/types/"): Operation(
        id="types_list",
        tag=FIGURES,
        summary="List the groups",
        answers={
            200: Answer(
                description="The groups.", bodies=json_body(TypeListSerializer, examples.TYPES)
            )
        },
        refusals=refusals.ANY,
    ),
    ("GET", "/api/v1/stats/"): Operation(
        id="stats_list",
        tag=FIGURES,
        summary="Count files and bytes",
        parameters=("days",),
        answers={
            200: Answer(
                description="The figures.", bodies=json_body(StatsSerializer, examples.STATS)
            )
        },
        refusals=refusals.FILTERED,
    ),
    **UPLOAD_OPERATIONS,
}
