from __future__ import annotations

import bz2
import ctypes
import gzip
import io
import lzma
import os
import random
import sqlite3
import struct
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from files.mime import HEAD_SIZE, sniff
from files.tests.samples import noise, png


def zipped(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, b"<x/>" * 20)
    return stream.getvalue()


def open_document(kind):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", f"application/{kind}")
        archive.writestr("content.xml", "<x/>")
    return stream.getvalue()


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO())
    return stream.getvalue()


def sqlite():
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (x)")
        return database.serialize()


def boxed(brand):
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand) + b"\0\0\0\x08free"


def riff(kind):
    return b"RIFF\x40\0\0\0" + kind + b"fmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0" + bytes(40)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\3\0\xfe\xff\x09\0" + bytes(600)
DOCX = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")
BMP = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0" + bytes(28)
WEBM = bytes.fromhex("1a45dfa39f42868101 42f78101 42f28104 42f38108 428284") + b"webm"
ELF = b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0\1\0\0\0" + bytes(40)
EXE = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(200)
OPEN_XML = "application/vnd.openxmlformats-officedocument."
NOISE = noise(5000)

SAMPLES = [
    # What the bytes say counts, whatever the name.
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a.pdf", "application/pdf"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a.png", "application/pdf"),
    (png(), "a.png", "image/png"),
    (png(), "a.html", "image/png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", "a.jpg", "image/jpeg"),
    (b"GIF89a\1\0\1\0\x80\0\0" + bytes(20), "a.gif", "image/gif"),
    (riff(b"WEBPVP8 "), "a.webp", "image/webp"),
    (b"II*\0\x08\0\0\0" + bytes(30), "a.tif", "image/tiff"),
    (BMP, "a.bmp", "image/bmp"),
    (boxed(b"heic"), "a.heic", "image/heic"),
    (boxed(b"avif"), "a.avif", "image/avif"),
    (boxed(b"isom"), "a.mp4", "video/mp4"),
    (boxed(b"M4A "), "a.m4a", "audio/x-m4a"),
    (riff(b"WAVE"), "a.wav", "audio/wav"),
    (b"ID3\4\0\0\0\0\0\x0a" + bytes(20), "a.mp3", "audio/mpeg"),
    (b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(30), "a.flac", "audio/flac"),
    (WEBM, "a.webm", "video/webm"),
    (b"\0asm\1\0\0\0", "a.wasm", "application/wasm"),
    (b"wOF2\0\1\0\0" + bytes(40), "a.woff2", "font/woff2"),
    (sqlite(), "a.db", "application/vnd.sqlite3"),
    (ELF, "a", "application/x-executable"),
    (EXE, "setup.exe", "application/x-msdownload"),
    (gzip.compress(b"x"), "a.gz", "application/gzip"),
    (bz2.compress(b"x"), "a.bz2", "application/x-bzip2"),
    (lzma.compress(b"x"), "a.xz", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24), "a.7z", "application/x-7z-compressed"),
    (b"Rar!\x1a\7\1\0" + bytes(24), "a.rar", "application/vnd.rar"),
    (tarred(), "a.tar", "application/x-tar"),
    (bytes(32769) + b"CD001" + bytes(2048), "a.iso", "application/x-iso9660-image"),
    (b"{\\rtf1\\ansi hello}", "a.rtf", "application/rtf"),
    # Containers: what libmagic sees, else the suffix within the container.
    (DOCX, "a.docx", OPEN_XML + "wordprocessingml.document"),
    (DOCX, "renamed.txt", OPEN_XML + "wordprocessingml.document"),
    (zipped("xl/workbook.xml"), "a.xlsx", OPEN_XML + "spreadsheetml.sheet"),
    (zipped("ppt/presentation.xml"), "a.pptx", OPEN_XML + "presentationml.presentation"),
    (open_document("vnd.oasis.opendocument.text"), "a", "application/vnd.oasis.opendocument.text"),
    (open_document("epub+zip"), "a", "application/epub+zip"),
    (zipped("META-INF/MANIFEST.MF"), "a.jar", "application/java-archive"),
    (zipped("AndroidManifest.xml"), "a.apk", "application/vnd.android.package-archive"),
    (zipped("a.txt"), "a.zip", "application/zip"),
    (zipped("a.txt"), "a.html", "application/zip"),
    (OLE, "a.doc", "application/msword"),
    (OLE, "a.msg", "application/vnd.ms-outlook"),
    # Text: the suffix chooses among kinds of text.
    (b"hello, world\nsecond, line\n", "a.txt", "text/plain"),
    (b"hello, world\nsecond, line\n", "a", "text/plain"),
    (b"hello, world\n", "a.pdf", "text/plain"),
    (b"hello, world\n", "a.png", "text/plain"),
    (b"hello, world\n", "a.exe", "text/plain"),
    (b"a,b\n1,2\n", "a.csv", "text/csv"),
    (b'{"a": 1}', "a.json", "application/json"),
    (b"# Title\n", "README.md", "text/markdown"),
    (b"body { color: red }", "a.css", "text/css"),
    (b"import os\n", "a.py", "text/x-python"),
    (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "a.ics", "text/calendar"),
    ("Größe".encode(), "a.txt", "text/plain"),
    ("Größe".encode("latin-1"), "a.txt", "text/plain"),
    ("отчёт".encode("koi8-r"), "a.txt", "text/plain"),
    ("Größe".encode("utf-16"), "a.txt", "text/plain"),
    ("日本語テキスト".encode("shift-jis"), "a.txt", "text/plain"),
    ("\ufeffa;b\n".encode(), "a.csv", "text/csv"),
    (("x" + "ü" * HEAD_SIZE).encode(), "cut.txt", "text/plain"),
    (b"#!/usr/bin/env python3\nprint()\n", "tool", "text/x-python"),
    (b"#!/bin/sh\necho\n", "tool", "text/x-shellscript"),
    # Markup is what it is under any name, so that nobody is surprised by it.
    (b"<!DOCTYPE html><title>x</title>", "a.html", "text/html"),
    (b"\n <HTML><body>", "a.txt", "text/html"),
    (b"<!-- licence --><!-- more -->\n<html>", "a", "text/html"),
    (b"\xef\xbb\xbf<!doctype html>", "a.jpg", "text/html"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml"),
    (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "a", "image/svg+xml"),
    (b"<?xml version='1.0'?><x/>", "a.xml", "text/xml"),
    (b"<?xml version='1.0'?><kml/>", "a.kml", "application/vnd.google-earth.kml+xml"),
    # Nothing to go by.
    (NOISE, "a", "application/octet-stream"),
    (NOISE, "a.html", "application/octet-stream"),
    (NOISE, "a.svg", "application/octet-stream"),
    (NOISE, "a.pdf", "application/octet-stream"),
    (bytes(5000), "a.img", "application/octet-stream"),
    (b"\0", "a.txt", "application/octet-stream"),
    (b"", "a", "application/octet-stream"),
    (b"", "a.pdf", "application/octet-stream"),
    (b"", "a.txt", "text/plain"),
    (b"", "a.csv", "text/csv"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "name", "mime_type"), SAMPLES, ids=[f"{sample[1]}-{sample[2]}" for sample in SAMPLES]
)
def test_type_is_told_from_the_bytes(head, name, mime_type):
    assert sniff(head, name) == mime_type


def test_any_bytes_have_a_type_that_fits_its_column():
    chance = random.Random(5)
    heads = [sample[0] for sample in SAMPLES if sample[0]]
    for _ in range(2000):
        head = bytearray(chance.choice(heads)[: chance.randrange(1, 3000)])
        for _ in range(chance.randrange(1, 20)):
            head[chance.randrange(len(head))] = chance.randrange(256)
        mime_type = sniff(bytes(head), chance.choice(["a", "a.docx", "a.txt"]))
        assert mime_type.isascii()
        assert mime_type.count("/") == 1
        assert 3 <= len(mime_type) <= 127


@pytest.mark.parametrize(
    "piece", [b"\n", b" ", b"<!--", b"<!", b"<!-- -->", b"a,", b"{", b"#!", b"MZ", b"PK\3\4", b"\0"]
)
def test_hostile_bytes_take_no_time(piece):
    head = (piece * (64 << 10))[: 64 << 10]
    sniff(head, "a.txt")
    started = time.process_time()
    sniff(head, "a.txt")
    assert time.process_time() - started < 0.1


def test_many_threads_get_the_right_answers():
    samples = SAMPLES * 10
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda sample: sniff(sample[0], sample[1]), samples))
    assert answers == [sample[2] for sample in samples]


def test_loading_leaves_the_process_as_it_was():
    sniff(b"x", "a")
    assert "pylibmagic" not in os.environ.get("LD_LIBRARY_PATH", "")
    assert ctypes.CDLL.__init__.__name__ == "__init__"
