"""Everything that can be refused, as exceptions with a stable `code`.

FilesError
├── InvalidUploadError          the request is wrong: nothing was stored
│   ├── InvalidNameError
│   ├── MissingFileError
│   ├── SeveralFilesError
│   ├── BrokenMultipartError
│   ├── BodyCutShortError
│   ├── InvalidDigestError
│   ├── DigestMismatchError
│   ├── InvalidHeaderError      of a resumable upload
│   └── ChecksumMismatchError   a piece of one is not what was announced
├── InvalidFieldsError          errors: what is wrong with which field
│   └── InvalidFilterError      … with which parameter of a list
├── InvalidRequestError         a body that cannot be read
│   └── RequestTooLargeError
├── UnsupportedEncodingError    a body that is not the file's own bytes
├── UnsupportedTypeError        a body of another type than is taken here
├── UnsupportedVersionError     of the protocol of resumable uploads
├── LengthRequiredError         a raw body whose end cannot be known
├── FileTooLargeError           size, limit
├── StorageFullError            no room left
├── DuplicateFileError          existing_id: the id of the file that is there
├── FileNotFoundInSpaceError    not there, or not to be known of
├── VersionMismatchError        the caller saw an older version
├── UploadConflictError         offset: where the upload really is
├── UploadExpiredError          nothing came for too long
├── UploadFinalError            it takes no bytes of its own
├── TooManyUploadsError         unfinished ones
├── AuthenticationRequiredError
├── AccessDeniedError
│   └── CrossSiteError          another site's page made the browser ask
├── ServerBusyError             too many transfers at once: try again
├── StorageBusyError            locked for too long: try again
└── CorruptContentError         stored bytes fail their checksum
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


def gettext_noop(text: str) -> str:
    """Return `text`; `makemessages` collects it for the translators by this function's name."""
    return text


class Phrase:
    """A part of a sentence that is translated by itself; `str()` is it in English."""

    def __init__(self, template: str, /, **params: object) -> None:
        self.template = template
        self.params = params

    def __str__(self) -> str:
        return self.template % self.params


class FilesError(Exception):
    """Base of all refusals; `str()` is a sentence in English for the person who asked.

    For other languages there are its `template`, marked by `gettext_noop`, and the
    `params` to fill in once it is translated, some of which may be phrases.
    """

    code: ClassVar[str] = "error"

    def __init__(self, template: str, /, **params: object) -> None:
        super().__init__(template % params)
        self.template = template
        self.params = params


class InvalidUploadError(FilesError):
    code = "invalid_upload"


class InvalidNameError(InvalidUploadError):
    code = "invalid_name"


class MissingFileError(InvalidUploadError):
    code = "file_missing"


class SeveralFilesError(InvalidUploadError):
    code = "several_files"


class BrokenMultipartError(InvalidUploadError):
    code = "broken_multipart"


class BodyCutShortError(InvalidUploadError):
    code = "body_cut_short"


class InvalidDigestError(InvalidUploadError):
    code = "invalid_digest"


class DigestMismatchError(InvalidUploadError):
    code = "digest_mismatch"


class InvalidHeaderError(InvalidUploadError):
    code = "invalid_header"


class ChecksumMismatchError(InvalidUploadError):
    code = "checksum_mismatch"


class InvalidFieldsError(FilesError):
    """`errors` says for each wrong field, by its name, what is wrong with it."""

    code = "invalid_fields"

    def __init__(self, errors: Mapping[str, Phrase]) -> None:
        text = " ".join(f"{name}: {phrase}" for name, phrase in errors.items())
        super().__init__("%(text)s", text=text)
        self.errors = errors


class InvalidFilterError(InvalidFieldsError):
    code = "invalid_filter"


class InvalidRequestError(FilesError):
    code = "invalid_request"


class RequestTooLargeError(InvalidRequestError):
    code = "request_too_large"


class UnsupportedEncodingError(FilesError):
    code = "unsupported_encoding"


class UnsupportedTypeError(FilesError):
    code = "unsupported_media_type"


class UnsupportedVersionError(FilesError):
    code = "unsupported_version"


class LengthRequiredError(FilesError):
    code = "length_required"


class FileTooLargeError(FilesError):
    code = "too_large"


class StorageFullError(FilesError):
    code = "storage_full"


class DuplicateFileError(FilesError):
    """The same bytes are in the same space already, as the file `existing_id`."""

    code = "duplicate"

    def __init__(self, template: str, /, *, existing_id: int) -> None:
        super().__init__(template, existing_id=existing_id)
        self.existing_id = existing_id


class FileNotFoundInSpaceError(FilesError):
    code = "not_found"


class VersionMismatchError(FilesError):
    code = "version_mismatch"


class UploadConflictError(FilesError):
    """The upload is at `offset`, in bytes: not where the caller believed, or another came first."""

    code = "upload_conflict"

    def __init__(self, template: str, /, *, offset: int) -> None:
        super().__init__(template, offset=offset)
        self.offset = offset


class UploadExpiredError(FilesError):
    code = "upload_expired"


class UploadFinalError(FilesError):
    code = "upload_final"


class TooManyUploadsError(FilesError):
    code = "too_many_uploads"


class AuthenticationRequiredError(FilesError):
    code = "authentication_required"


class AccessDeniedError(FilesError):
    code = "access_denied"


class CrossSiteError(AccessDeniedError):
    code = "cross_site"


class ServerBusyError(FilesError):
    code = "server_busy"


class StorageBusyError(FilesError):
    code = "storage_busy"


class CorruptContentError(FilesError):
    code = "corrupt_content"
