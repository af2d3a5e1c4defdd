"""Everything that can be refused, as exceptions with a stable `code`.

FilesError
├── InvalidUploadError          the request is wrong: nothing was stored
│   ├── InvalidNameError
│   ├── MissingFileError
│   ├── SeveralFilesError
│   ├── BrokenMultipartError
│   ├── BodyCutShortError
│   ├── InvalidDigestError
│   └── DigestMismatchError
├── InvalidFilterError          errors: what is wrong with which parameter
├── LengthRequiredError         a raw body whose end cannot be known
├── FileTooLargeError           size, limit
├── StorageFullError            no room left
├── DuplicateFileError          existing: the id of the file that is there
├── FileNotFoundInSpaceError    not there, or not to be known of
├── VersionMismatchError        the caller saw an older version
├── AuthenticationRequiredError
├── AccessDeniedError
│   └── CrossSiteError          another site's page made the browser ask
├── StorageBusyError            locked for too long: try again
└── CorruptContentError         stored bytes fail their checksum
"""

from __future__ import annotations

from typing import ClassVar


class FilesError(Exception):
    """Base of all refusals; `str()` is a sentence for the person who asked."""

    code: ClassVar[str] = "error"


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


class InvalidFilterError(FilesError):
    code = "invalid_filter"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = errors


class LengthRequiredError(FilesError):
    code = "length_required"


class FileTooLargeError(FilesError):
    code = "too_large"


class StorageFullError(FilesError):
    code = "storage_full"


class DuplicateFileError(FilesError):
    """The same bytes are in the same space already, as the file `existing_id`."""

    code = "duplicate"

    def __init__(self, message: str, *, existing_id: int) -> None:
        super().__init__(message)
        self.existing_id = existing_id


class FileNotFoundInSpaceError(FilesError):
    code = "not_found"


class VersionMismatchError(FilesError):
    code = "version_mismatch"


class AuthenticationRequiredError(FilesError):
    code = "authentication_required"


class AccessDeniedError(FilesError):
    code = "access_denied"


class CrossSiteError(AccessDeniedError):
    code = "cross_site"


class StorageBusyError(FilesError):
    code = "storage_busy"


class CorruptContentError(FilesError):
    code = "corrupt_content"
