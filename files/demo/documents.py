"""Office files, PDF and ZIP of a demonstration library; as files.demo.pictures makes pictures."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

from files.demo.pictures import jpeg, some_noise
from files.demo.words import PROSE_LENGTH, prose

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument."
# Sound and pictures in a document, above this many bytes of it.
_PICTURE_FROM = 6000


def _types(overrides: dict[str, str]) -> str:
    parts = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}{kind}+xml"/>'
        for name, kind in overrides.items()
    )
    return (
        f'{_XML}<Types xmlns="{_PACKAGE}content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="jpeg" ContentType="image/jpeg"/>{parts}</Types>'
    )


def _relations(target: str, kind: str) -> str:
    return (
        f'{_XML}<Relationships xmlns="{_PACKAGE}relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCX = {
    "[Content_Types].xml": _types(
        {"word/document.xml": "wordprocessingml.document.main"},
    ),
    "_rels/.rels": _relations("word/document.xml", "officeDocument"),
}
_XLSX = {
    "[Content_Types].xml": _types(
        {
            "xl/workbook.xml": "spreadsheetml.sheet.main",
            "xl/worksheets/sheet1.xml": "spreadsheetml.worksheet",
        },
    ),
    "_rels/.rels": _relations("xl/workbook.xml", "officeDocument"),
    "xl/_rels/workbook.xml.rels": _relations("worksheets/sheet1.xml", "worksheet"),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
}


def docx(rng: Random, size: int, title: str) -> bytes:
    """Return a Word document of paragraphs; what is missing to `size` is a picture."""
    paragraphs = [title, *_lines(rng, min(size, _PICTURE_FROM) - 900, 220)]
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in paragraphs)
    document = f'{_XML}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    return _package("docx", size, rng, title, ("word/document.xml", document))


def xlsx(rng: Random, size: int, title: str) -> bytes:
    """Return an Excel workbook of one sheet; what is missing to `size` is a picture."""
    rows = (
        f'<row><c t="inlineStr"><is><t>{line}</t></is></c>'
        f"<c><v>{int(rng.random() * 1e6)}</v></c></row>"
        for line in (title, *_lines(rng, min(size, _PICTURE_FROM) - 1400, 40))
    )
    sheet = f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{"".join(rows)}</sheetData></worksheet>'
    return _package("xlsx", size, rng, title, ("xl/worksheets/sheet1.xml", sheet))


def archive(rng: Random, size: int, title: str) -> bytes:
    """Return a ZIP of a few members, one of them a text with the title."""
    members = [_member("readme.txt", f"{title}\n".encode())]
    count = 1 + int(rng.random() * 4)
    for number in range(count):
        members.append(_member(f"data/{number}.bin", some_noise(rng, max(size // count - 150, 16))))
    return _zip(members)


def pdf(rng: Random, size: int, title: str) -> bytes:
    """Return a PDF of one page; a long one is a scan, a JPEG as wide as the page."""
    text = b"".join(
        b"(%s) Tj T*\n" % line.encode("latin-1", "replace")
        for line in _lines(rng, min(size, _PICTURE_FROM) - 700, 80, codes=("en",))
    )
    content = b"BT /F 11 Tf 14 TL 50 780 Td\n" + text + b"ET\n"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F 5 0 R >> /XObject << /I 7 0 R >> >> >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title <feff%s> >>" % title.encode("utf-16-be").hex().encode(),
    ]
    if size > _PICTURE_FROM + 1000:
        picture = jpeg(rng, size - _PICTURE_FROM, title)
        height, width = struct.unpack(">HH", picture[picture.index(b"\xff\xc0") + 5 :][:4])
        kind = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8"
        shape = b" /Filter /DCTDecode /Width %d /Height %d" % (width, height)
        objects.append(_stream(kind + shape, picture))
        content += b"q 495 0 0 300 50 50 cm /I Do Q\n"
    else:
        objects[2] = objects[2].replace(b" /XObject << /I 7 0 R >>", b"")
    objects[3] = _stream(b"", content)
    return _pdf_file(objects)


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def _pdf_file(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
    offsets, at = [], len(parts[0])
    for number, body in enumerate(objects, 1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        offsets.append(at)
        at += len(part)
        parts.append(part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\n" % count)
    parts.append(b"startxref\n%d\n%%%%EOF\n" % at)
    return b"".join(parts)


def _lines(
    rng: Random, size: int, width: int, codes: tuple[str, ...] = ("en", "de", "fr", "es", "en")
) -> list[str]:
    """Return at least one line of up to `width` characters, of about `size` in all."""
    source = prose(codes[int(rng.random() * len(codes))])
    lines: list[str] = []
    left = size
    while left > 0 or not lines:
        at, length = int(rng.random() * (PROSE_LENGTH - width)), int(rng.random() * width) + 1
        lines.append(source[at : at + length].strip())
        left -= length
    return lines


def _package(kind: str, size: int, rng: Random, title: str, document: tuple[str, str]) -> bytes:
    fixed = _fixed_members(kind)
    members = [*fixed, _member(document[0], document[1].encode(), compress=True)]
    if size > _PICTURE_FROM:
        folder = document[0].split("/")[0]
        members.append(_member(f"{folder}/media/image1.jpeg", jpeg(rng, size, title)))
    return _zip(members)


# A member of a ZIP: its name and its entry in the directory but for the offset, and its bytes.
Member = tuple[bytes, Callable[[int], bytes], bytes]


@cache
def _fixed_members(kind: str) -> list[Member]:
    parts = {"docx": _DOCX, "xlsx": _XLSX}[kind]
    return [_member(name, text.encode(), compress=True) for name, text in parts.items()]


def _member(name: str, data: bytes, *, compress: bool = False) -> Member:
    """Return a member; zipfile would need ten times as long for so small ones."""
    packed = zlib.compress(data, 1, wbits=-15) if compress else data
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    # Version 2.0, no flags, 1 January 2026.
    common = struct.pack(
        "<HHHHHIIIHH",
        20, 0, method, 0, (46 << 9) | (1 << 5) | 1,
        zlib.crc32(data), len(packed), len(data), len(name), 0,
    )  # fmt: skip
    encoded = name.encode()

    def entry(offset: int) -> bytes:
        return b"PK\x01\x02\x14\0" + common + struct.pack("<HHHII", 0, 0, 0, 0, offset) + encoded

    return encoded, entry, b"PK\x03\x04" + common + encoded + packed


def _zip(members: list[Member]) -> bytes:
    stream, entries = io.BytesIO(), []
    for _, entry, data in members:
        entries.append(entry(stream.tell()))
        stream.write(data)
    start = stream.tell()
    directory = b"".join(entries)
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), start, 0)
    return b"".join((stream.getvalue(), directory, b"PK\x05\x06", end))
