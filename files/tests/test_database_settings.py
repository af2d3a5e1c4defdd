"""What a DATABASE_URL becomes, and what the connections made of it do with bytes."""

from __future__ import annotations

import random

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from files.models import Content, File
from files.storage.chunk_rows import ChunkRow, add_chunks, chunk_at
from files.tests.factories import make_file
from fileserver.databases import database_settings

ONLY_MYSQL = pytest.mark.skipif(connection.vendor != "mysql", reason="about MySQL")


@pytest.mark.parametrize(
    ("url", "engine", "name"),
    [
        ("sqlite:////srv/files.db", "fileserver.sqlite", "/srv/files.db"),
        ("mysql://a:b%40c@db:3307/files", "fileserver.mysql", "files"),
        ("postgres://a@db/files", "fileserver.postgresql", "files"),
        ("postgresql://a@%2Frun%2Fpostgresql/files", "fileserver.postgresql", "files"),
    ],
)
def test_address_leads_to_our_backend(url: str, engine: str, name: str) -> None:
    entry = database_settings(url)
    assert (entry["ENGINE"], entry["NAME"]) == (engine, name)


def test_password_is_decoded_and_options_are_kept() -> None:
    entry = database_settings("mysql://a:b%40c@db:3307/files?connect_timeout=2&ssl-ca=/ca.pem")
    assert entry["PASSWORD"] == "b@c"
    assert entry["OPTIONS"]["connect_timeout"] == 2
    assert entry["OPTIONS"]["ssl"] == {"ca": "/ca.pem"}
    assert "STRICT_TRANS_TABLES" in entry["OPTIONS"]["sql_mode"]


def test_normal_durability_reaches_postgresql() -> None:
    url = "postgres://a@db/files?currentSchema=own"
    normal, full = (database_settings(url, how)["OPTIONS"]["options"] for how in ("normal", "full"))
    assert normal == f"-c synchronous_commit=off {full}"
    assert full.endswith("s -c search_path=own")


@pytest.mark.parametrize(
    "url",
    [
        "files.db",
        "secret",
        "a:secret@db/files",
        "secret://db/files",
        "oracle://a:secret@db/files",
        "mysql://a:secret@[db/files",
        "mysql://a:secret/@db/files",
        "postgres://a:secret#@db:port/files",
        "postgres://a:secret@db:port/files",
        "ftp://a:secret@x/y",
    ],
)
def test_what_is_no_address_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="database") as caught:
        database_settings(url)
    assert "secret" not in str(caught.value)


def awkward_bytes(size: int) -> bytes:
    """Return bytes rich in what a literal could end at, and in broken UTF-8."""
    chosen = random.Random(size)
    pieces = [
        b"'",
        b"\\",
        b"\\'",
        b"\0",
        b"\x1a",
        b"\n",
        b"\r",
        b'"',
        b"%s",
        b"%",
        b"\xe4'",
        b"\xf0",
    ]
    data = b"".join(chosen.choices(pieces, k=size // 2)) + chosen.randbytes(size)
    return data[:size]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 100, 8 << 10, 100_000, 1 << 20])
def test_bytes_of_all_kinds_come_back(size: int) -> None:
    content = Content.objects.create()
    data = awkward_bytes(size)
    add_chunks(content.pk, [ChunkRow(0, size, 0, data), ChunkRow(size, size, 0, b"'" * size)])
    assert chunk_at(content.pk, 0) == (0, size, 0, data)
    assert chunk_at(content.pk, size) == (size, size, 0, b"'" * size)


@pytest.mark.django_db
@ONLY_MYSQL
def test_statement_of_bytes_leaves_the_connection_as_it_was() -> None:
    content = Content.objects.create()
    add_chunks(content.pk, [ChunkRow(0, 1 << 20, 0, bytes(1 << 20))])
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_client, 'é', @@sql_mode")
        charset, letter, mode = cursor.fetchone()
    assert (charset, letter) == ("utf8mb4", "é")
    assert "STRICT_TRANS_TABLES" in mode


@pytest.mark.django_db
@ONLY_MYSQL
def test_refused_statement_of_bytes_leaves_the_connection_as_it_was() -> None:
    content = Content.objects.create()
    chunk = ChunkRow(0, 1 << 20, 0, bytes(1 << 20))
    add_chunks(content.pk, [chunk])
    with pytest.raises(IntegrityError), transaction.atomic():
        add_chunks(content.pk, [chunk])
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_client")
        assert cursor.fetchone() == ("utf8mb4",)


@pytest.mark.django_db
def test_names_that_differ_in_case_or_accent_are_two() -> None:
    names = ["a.txt", "A.txt", "ä.txt", "Ä.txt", "ss.txt", "ß.txt", "a .txt"]
    for name in names:
        make_file(name=name)
    for name in names:
        assert [file.name for file in File.objects.filter(name=name)] == [name]
    listed = File.objects.order_by("name").values_list("name", flat=True)
    assert list(listed) == sorted(names, key=str.encode)
