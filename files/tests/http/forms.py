"""Makes multipart bodies for tests, and reads them with the parser under test."""

from __future__ import annotations

from files.exceptions import (
    BrokenMultipartError,
    InvalidNameError,
    MissingFileError,
    SeveralFilesError,
)
from files.http.multipart import FilePart, read_form

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(disposition, data=b"", *headers):
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def file_part(data=b"hello", *headers, name="a.txt"):
    return part(f'name="file"; filename="{name}"', data, "Content-Type: text/plain", *headers)


def form(*parts, boundary=BOUNDARY, end=b"--\r\n"):
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + each + b"\r\n" for each in parts) + line + end


def read(body, content_type=FORM, block=1 << 16):
    blocks = (body[start : start + block] for start in range(0, len(body), block))
    return read_blocks(blocks, content_type)


def read_blocks(blocks, content_type=FORM):
    head, data = None, b""
    for item in read_form(blocks, content_type):
        if isinstance(item, FilePart):
            head = item
        else:
            data += item
    return head, data


def outcome(body, block):
    try:
        return read(body, block=block)
    except (BrokenMultipartError, InvalidNameError, MissingFileError, SeveralFilesError) as error:
        return type(error), str(error)
