"""Which refusals an operation can answer with, by code; their status is that of `http.problems`."""

from __future__ import annotations

from dataclasses import dataclass

from files import exceptions
from files.http.problems import STATUS


@dataclass(frozen=True)
class Refusal:
    """A problem that is told apart by `code`; `when` completes "this is answered when"."""

    status: int
    code: str
    when: str


def _of(kind: type[exceptions.FilesError], when: str) -> Refusal:
    status = next(STATUS[base] for base in kind.__mro__ if base in STATUS)
    return Refusal(int(status), kind.code, when)


NOT_FOUND = _of(exceptions.FileNotFoundInSpaceError, "there is nothing of this id.")
VERSION_MISMATCH = _of(exceptions.VersionMismatchError, "a precondition does not hold.")
INVALID_NAME = _of(
    exceptions.InvalidNameError, "nothing that can be seen is left of the name, or it is too long."
)
CORRUPT_CONTENT = _of(
    exceptions.CorruptContentError, "what is stored fails its checksum; nothing of it is sent."
)
SERVER_BUSY = _of(exceptions.ServerBusyError, "too many transfers are under way.")
STORAGE_FULL = _of(exceptions.StorageFullError, "no room is left.")
LENGTH_REQUIRED = _of(exceptions.LengthRequiredError, "the body does not tell where it ends.")
BODY_CUT_SHORT = _of(
    exceptions.BodyCutShortError, "fewer bytes came than `Content-Length` announced."
)
INVALID_DIGEST = _of(exceptions.InvalidDigestError, "a digest cannot be read.")
DIGEST_MISMATCH = _of(
    exceptions.DigestMismatchError, "the bytes have another digest than was announced."
)
DUPLICATE = _of(
    exceptions.DuplicateFileError, "the same bytes are stored already; `existing` is that file."
)
TOO_LARGE = _of(exceptions.FileTooLargeError, "the file is longer than this server takes.")
UNSUPPORTED_ENCODING = _of(
    exceptions.UnsupportedEncodingError, "the body has a `Content-Encoding`."
)

# Of the server as a whole, whatever is asked for.
FRAMING = (
    Refusal(400, "bad_request", "the `Host` is unknown here."),
    Refusal(400, "bad_framing", "`Content-Length` and `Transfer-Encoding` contradict each other."),
    Refusal(431, "headers_too_large", "the headers are longer than 32 KiB."),
)
ANY = (
    *FRAMING,
    _of(exceptions.AuthenticationRequiredError, "this needs an account."),
    Refusal(500, "server_error", "the server failed; the failure was noted."),
    _of(exceptions.StorageBusyError, "the database is busy or away."),
)
ONE = (*ANY, NOT_FOUND)
FILTERED = (
    *ANY,
    _of(exceptions.InvalidFilterError, "a parameter is unknown, or its value cannot be."),
    _of(exceptions.InvalidRequestError, "there are more than 500 parameters."),
)

CHANGING = (
    _of(
        exceptions.AccessDeniedError, "you may not change this, or the session's token is missing."
    ),
    _of(exceptions.CrossSiteError, "a page of another site made the browser ask."),
    STORAGE_FULL,
)
JSON_BODY = (
    Refusal(400, "parse_error", "the body is not JSON."),
    _of(exceptions.InvalidFieldsError, "a field is unknown, missing, or its value cannot be."),
    BODY_CUT_SHORT,
    LENGTH_REQUIRED,
    _of(exceptions.RequestTooLargeError, "the body is longer than 1 MiB."),
    Refusal(415, "unsupported_media_type", "the body's type is not `application/json`."),
)

UPLOAD = (
    *ANY,
    *CHANGING,
    INVALID_NAME,
    BODY_CUT_SHORT,
    INVALID_DIGEST,
    DIGEST_MISMATCH,
    DUPLICATE,
    TOO_LARGE,
    UNSUPPORTED_ENCODING,
    SERVER_BUSY,
)
UPLOAD_FORM = (
    *UPLOAD,
    _of(exceptions.MissingFileError, "there is no part `file` with a file name."),
    _of(exceptions.SeveralFilesError, "there is more than one file."),
    _of(exceptions.BrokenMultipartError, "the form ends early or does not follow RFC 7578."),
)
UPLOAD_BYTES = (
    *UPLOAD,
    _of(exceptions.InvalidUploadError, "the body is a form, or a part of a file."),
    LENGTH_REQUIRED,
)
DOWNLOAD = (
    *ONE,
    Refusal(400, "invalid_parameter", "`disposition` is neither `attachment` nor `inline`."),
    VERSION_MISMATCH,
    Refusal(416, "range_not_satisfiable", "no byte of the file is in the range."),
    CORRUPT_CONTENT,
    SERVER_BUSY,
)
DELETE = (*ONE, *CHANGING, VERSION_MISMATCH)
ARCHIVE = (*FILTERED, NOT_FOUND, CORRUPT_CONTENT, SERVER_BUSY, STORAGE_FULL)
ARCHIVE_POST = (*ARCHIVE, *JSON_BODY, CHANGING[1])
CHECK = (*ANY, *JSON_BODY, CHANGING[1])
EDIT = (*DELETE, *JSON_BODY, INVALID_NAME)
LABEL = (*ONE, *CHANGING, *JSON_BODY, INVALID_NAME)
NEW_LABEL = tuple(refusal for refusal in LABEL if refusal != NOT_FOUND)
LABEL_DELETE = (*ONE, *CHANGING)

# Of resumable uploads.
UNSUPPORTED_VERSION = _of(
    exceptions.UnsupportedVersionError,
    "`Tus-Resumable` names another version; `Tus-Version` has those that are spoken.",
)
EXPIRED = _of(exceptions.UploadExpiredError, "nothing came for too long: begin anew.")
PIECE = (
    *CHANGING,
    BODY_CUT_SHORT,
    DIGEST_MISMATCH,
    TOO_LARGE,
    UNSUPPORTED_ENCODING,
    SERVER_BUSY,
    UNSUPPORTED_VERSION,
    _of(exceptions.InvalidHeaderError, "a header is missing, or cannot be read."),
    _of(exceptions.InvalidUploadError, "the request contradicts an earlier one."),
    _of(exceptions.ChecksumMismatchError, "the piece has another checksum; nothing of it is kept."),
    _of(
        exceptions.UnsupportedTypeError, "the body's type is not `application/offset+octet-stream`."
    ),
    _of(exceptions.UploadFinalError, "the upload is put together of others."),
    _of(
        exceptions.UploadConflictError,
        "the upload goes on elsewhere, as `Upload-Offset` says, or by another request.",
    ),
)
UPLOAD_CREATE = (
    *ANY,
    *PIECE,
    INVALID_NAME,
    INVALID_DIGEST,
    DUPLICATE,
    CORRUPT_CONTENT,
    _of(exceptions.TooManyUploadsError, "too many uploads are unfinished."),
)
UPLOAD_PIECE = (*ONE, *PIECE, EXPIRED)
UPLOAD_LOOK = (*ONE, EXPIRED, DIGEST_MISMATCH, STORAGE_FULL)
UPLOAD_HEAD = (*UPLOAD_LOOK, UNSUPPORTED_VERSION)
UPLOAD_DELETE = (*ONE, *CHANGING, EXPIRED, UNSUPPORTED_VERSION)
READINESS = (*FRAMING, Refusal(503, "not_ready", "the database does not answer."))
