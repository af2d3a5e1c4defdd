"""multipart/form-data with one file in it, parsed while it arrives.

Entry point: `read_form`. No more than one block is held, whatever the file's size.
Django's own parser is not used: 5.2.19 ends a part at "--boundary" in mid-line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from urllib.parse import unquote_to_bytes

from multipart import (  # type: ignore[import-untyped]  # annotated, but has no py.typed
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from files.exceptions import (
    BrokenMultipartError,
    InvalidNameError,
    MissingFileError,
    Phrase,
    SeveralFilesError,
    gettext_noop,
)
from files.names import decode_form_name

FILE_FIELD = "file"
MAX_PARTS = 20
MAX_FIELD_NAME = 100  # characters
MAX_FIELDS_SIZE = 64 << 10  # bytes, all values together
MAX_HEADER_SIZE = 4096  # bytes, one line; an escaped name of 255 characters takes 3 kB
MAX_HEADERS = 8  # of one part
MAX_EPILOGUE = 1024  # bytes of white space behind the closing boundary

_WHITE_SPACE = b" \t\r\n"
# RFC 2046, section 5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_PARAMETER = re.compile(r';\s*([\w-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)')
_EXTENDED_VALUE = re.compile(r"utf-8'[\w-]*'(.+)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class FilePart:
    """The head of the part that is the file; its bytes follow.

    `name` is what the client sent, `fields` the form's fields that came before it,
    `content_digest` the part's own header of that name, "" without one.
    """

    name: str
    fields: Mapping[str, str]
    content_digest: str = ""


def read_form(blocks: Iterable[bytes], content_type: str) -> Iterator[FilePart | bytes]:
    """Yield the file part's head, then its bytes; end only when the whole form was right.

    Raises:
        MissingFileError: no part "file" with a filename came.
        SeveralFilesError: a second file came.
        InvalidNameError: a file without a name came.
        BrokenMultipartError: a limit or RFC 7578 is broken, or the end is missing.
    """
    boundary = _boundary_of(content_type)
    parser = PushMultipartParser(
        boundary,
        max_header_size=MAX_HEADER_SIZE,
        max_header_count=MAX_HEADERS,
        max_segment_count=MAX_PARTS,
        strict=True,
    )
    form = _Form()
    frame = _Frame(boundary.encode())
    try:
        for block in blocks:
            if frame.is_behind(block):
                continue
            frame.check_start(block)
            for event in parser.parse(block):
                if (item := form.take(event)) is not None:
                    yield item
            frame.look_for_end(block, is_in_part=form.is_in_part)
        parser.close()
    except MultipartError as error:
        raise BrokenMultipartError(
            gettext_noop(
                "The multipart body cannot be read: %(reason)s (at most %(parts)s parts,"
                " %(headers)s headers each of %(size)s bytes in UTF-8)."
            ),
            reason=error.args[0],
            parts=MAX_PARTS,
            headers=MAX_HEADERS,
            size=MAX_HEADER_SIZE,
        ) from error
    form.check_file_came()


def _boundary_of(content_type: str) -> str:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise MissingFileError(
            gettext_noop(
                "The file belongs in a multipart/form-data body, in a part named “%(field)s”"
                " (curl -F %(field)s=@…); this body's type is “%(type)s”."
            ),
            field=FILE_FIELD,
            type=content_type[:100],
        )
    boundary: str = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise BrokenMultipartError(
            gettext_noop(
                "The Content-Type names no boundary of 1 to 70 characters that RFC 2046 allows."
            )
        )
    return boundary


class _Form:
    """What came of the form; turns the parser's events into what the caller wants."""

    def __init__(self) -> None:
        self.is_in_part = False
        self._has_file = False
        self._seen: list[Phrase] = []
        self._fields: dict[str, str] = {}
        self._fields_size = 0
        self._part: MultipartSegment | None = None
        self._value = b""

    def take(self, event: MultipartSegment | bytes | None) -> FilePart | bytes | None:
        """Take the head of a part, bytes of it, or None for its end."""
        self.is_in_part = event is not None
        if isinstance(event, MultipartSegment):
            return self._begin(event)
        if event is None:
            self._end()
            return None
        if self._part is None:
            return event
        self._collect(self._part, event)
        return None

    def check_file_came(self) -> None:
        """Raise MissingFileError, naming what came instead, if there was no file."""
        if not self._has_file:
            raise _missing(self._seen)

    def _begin(self, part: MultipartSegment) -> FilePart | None:
        name = part.name or ""
        if len(name) > MAX_FIELD_NAME:
            raise BrokenMultipartError(
                gettext_noop("A field's name has %(length)s characters, the limit is %(limit)s."),
                length=len(name),
                limit=MAX_FIELD_NAME,
            )
        _check_headers(part)
        filename = _filename(part)
        if not filename:
            self._seen.append(Phrase(gettext_noop("“%(name)s” without filename"), name=name))
            self._part, self._value = part, b""
            return None
        self._seen.append(Phrase(gettext_noop("“%(name)s” as a file"), name=name))
        if self._has_file:
            raise SeveralFilesError(
                gettext_noop("Several files came in one request; send one at a time.")
            )
        if name != FILE_FIELD:
            raise _missing(self._seen)
        self._has_file = True
        self._part = None
        return FilePart(filename, dict(self._fields), part.header("Content-Digest", ""))

    def _collect(self, part: MultipartSegment, data: bytes) -> None:
        if part.filename is not None:
            raise InvalidNameError(
                gettext_noop("The file in part “%(part)s” has an empty name."), part=part.name
            )
        self._fields_size += len(data)
        if self._fields_size > MAX_FIELDS_SIZE:
            raise BrokenMultipartError(
                gettext_noop("The fields hold more than %(size)s bytes; a file needs a filename."),
                size=MAX_FIELDS_SIZE,
            )
        self._value += data

    def _end(self) -> None:
        if self._part is None:
            return
        try:
            self._fields[self._part.name or ""] = self._value.decode()
        except UnicodeDecodeError as error:
            raise BrokenMultipartError(
                gettext_noop("Field “%(name)s” is not UTF-8."), name=self._part.name
            ) from error


class _Frame:
    """Where the form begins and ends: nothing but white space may lie outside.

    The parser skips it, or some of it, without a word, so a file that holds the closing
    boundary would be stored short.
    """

    def __init__(self, boundary: bytes) -> None:
        self._first_line = b"\r\n--" + boundary
        self._start = b""
        self._line = self._first_line + b"--"
        # The very first boundary has no line break before it.
        self._tail = b"\r\n"
        self._is_found = False
        self._epilogue_size = 0

    def check_start(self, block: bytes) -> None:
        """Raise unless the form begins with its boundary; a line break before it is fine."""
        wanted = len(self._first_line) - len(self._start)
        if wanted > 0:
            self._start += block[:wanted]
            known = len(self._start)
            if not any(
                line[:known] == self._start[: len(line)]
                for line in (self._first_line, self._first_line[2:])
            ):
                raise BrokenMultipartError(
                    gettext_noop("The form does not begin with its boundary.")
                )

    def is_behind(self, block: bytes) -> bool:
        """Tell whether `block` lies behind the end; raises if it is not white space."""
        if self._is_found:
            self._epilogue_size += len(block)
            if block.strip(_WHITE_SPACE) or self._epilogue_size > MAX_EPILOGUE:
                raise BrokenMultipartError(
                    gettext_noop("There is more behind the closing boundary.")
                )
        return self._is_found

    def look_for_end(self, block: bytes, *, is_in_part: bool) -> None:
        """Find the end in `block`, which left the parser inside or between parts."""
        kept = len(self._line) - 1
        if is_in_part:
            self._tail = (self._tail + block[-kept:])[-kept:]
            return
        window = self._tail + block
        start = window.find(self._line)
        if start == -1:
            self._tail = window[-kept:]
            return
        self._is_found = True
        self.is_behind(window[start + len(self._line) :])


def _filename(part: MultipartSegment) -> str | None:
    """Return the part's filename, None without one.

    RFC 7578 forbids `filename*`, but .NET puts an RFC 2047 word beside it in `filename`.
    """
    for key, value in _PARAMETER.findall(part.header("Content-Disposition", "")):
        if key.lower() == "filename*" and (match := _EXTENDED_VALUE.fullmatch(value.strip('"'))):
            return unquote_to_bytes(match[1]).decode("utf-8", "replace")
    return None if part.filename is None else decode_form_name(part.filename)


def _check_headers(part: MultipartSegment) -> None:
    # The parser finds a line feed alone only where a block ends behind it.
    if any(_CONTROL.search(value) for _, value in part.headerlist):
        raise BrokenMultipartError(gettext_noop("A part's header holds a control character."))
    encoding = part.header("Content-Transfer-Encoding", "").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise BrokenMultipartError(
            gettext_noop(
                "Content-Transfer-Encoding “%(encoding)s” is not undone;"
                " send the bytes as they are."
            ),
            encoding=encoding,
        )


def _missing(seen: Sequence[Phrase]) -> MissingFileError:
    return MissingFileError(
        gettext_noop(
            "No file came. It belongs in one part named “%(field)s” with a filename"
            " (curl -F %(field)s=@…); what came: %(came)s."
        ),
        field=FILE_FIELD,
        came=reduce(_joined, seen) if seen else Phrase(gettext_noop("an empty form")),
    )


def _joined(first: Phrase, second: Phrase) -> Phrase:
    return Phrase(gettext_noop("%(first)s, %(second)s"), first=first, second=second)
