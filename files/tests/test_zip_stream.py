"""Archives are read back by other programs; what is not installed is not asked."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from files.crc32 import crc32_combine
from files.tests.samples import noise
from files.tests.sparse_file import SparseFile, crc32_of_zeros
from files.zip_stream import Member, ZipLength, ZipWriter

NOON = int(datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC).timestamp())
GIB = 1 << 30
# Names that only look right when they are read as UTF-8.
MEMBERS = {
    "empty": b"",
    "a.txt": b"hello",
    "folder/naïve 文件 😀.bin": noise(100_000),
    "folder/deeper/b": b"x",
}
ZIP_READERS = {
    "unzip": ["unzip", "-tqq"],
    "7z": ["7z", "t"],
    "bsdtar": ["bsdtar", "-xOf"],
}
JAVA_READER = """
import java.io.*; import java.util.zip.*;
public class Read {
    public static void main(String[] arguments) throws Exception {
        ZipInputStream zip = new ZipInputStream(new FileInputStream(arguments[0]));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        byte[] buffer = new byte[1 << 20];
        for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
            long size = 0;
            for (int count; (count = zip.read(buffer)) > 0; ) size += count;
            out.println(entry.getName() + " " + size);
        }
    }
}
"""


def members_of(files: dict[str, bytes]) -> list[Member]:
    return [Member(name, len(data), NOON) for name, data in files.items()]


def archive_of(files: dict[str, bytes]) -> bytes:
    data = b""
    with contextlib.closing(ZipWriter()) as writer:
        for member in members_of(files):
            data += writer.begin(member, zlib.crc32(files[member.name])) + files[member.name]
        return data + b"".join(writer.finish())


def length_of(members: list[Member]) -> int:
    length = ZipLength()
    for member in members:
        length.add(member)
    return length.total


@pytest.fixture
def writer() -> Iterator[ZipWriter]:
    with contextlib.closing(ZipWriter()) as opened:
        yield opened


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "archive.zip"
    path.write_bytes(archive_of(MEMBERS))
    return path


def test_the_standard_library_reads_it(archive):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == MEMBERS
        for info in opened.infolist():
            assert info.date_time == (2026, 3, 1, 12, 0, 0)
            assert info.external_attr >> 16 == 0o100644
            assert info.flag_bits == 1 << 11
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.extract_version == 20


def test_its_length_is_known_beforehand(archive):
    assert length_of(members_of(MEMBERS)) == archive.stat().st_size


def test_an_archive_of_nothing(tmp_path):
    data = archive_of({})
    assert length_of([]) == len(data) == 22
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == []


@pytest.mark.parametrize("program", ZIP_READERS)
def test_other_programs_read_it(archive, program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    run = subprocess.run([*ZIP_READERS[program], archive], capture_output=True)
    assert run.returncode == 0, run.stderr
    if program == "bsdtar":
        assert run.stdout == b"".join(MEMBERS.values())


def test_java_reads_it_as_a_stream(archive, tmp_path):
    if not shutil.which("javac"):
        pytest.skip("no Java compiler is installed")
    (tmp_path / "Read.java").write_text(JAVA_READER)
    command = ["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", tmp_path / "Read.java", archive]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.decode().splitlines()
    assert lines == [f"{name} {len(data)}" for name, data in MEMBERS.items()]


def test_unzip_restores_the_exact_time_in_any_zone(archive, tmp_path):
    if not shutil.which("unzip"):
        pytest.skip("unzip is not installed")
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    subprocess.run(["unzip", "-q", archive, "a.txt", "-d", tmp_path], check=True, env=environment)
    assert (tmp_path / "a.txt").stat().st_mtime == NOON


@pytest.mark.parametrize(
    ("modified", "shown"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(1, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(1980, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2040, 2, 29, 23, 59, 59, tzinfo=UTC), (2040, 2, 29, 23, 59, 58)),
        (datetime(2107, 12, 31, 23, 59, 59, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(2108, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(9999, 12, 31, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_times_that_dos_lacks_are_the_nearest(writer, modified, shown):
    member = Member("a", 0, int(modified.timestamp()))
    data = writer.begin(member, 0) + b"".join(writer.finish())
    assert zipfile.ZipFile(io.BytesIO(data)).infolist()[0].date_time == shown
    assert length_of([member]) == len(data)


def test_a_withdrawn_member_leaves_nothing(writer):
    data = bytearray(writer.begin(Member("a", 1, NOON), zlib.crc32(b"a")) + b"a")
    data += writer.begin(Member("damaged", 100, NOON), 4711) + b"only a part"
    del data[writer.withdraw() :]
    data += writer.begin(Member("b", 1, NOON), zlib.crc32(b"b")) + b"b"
    data += b"".join(writer.finish())
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["a", "b"]


def sparse_archive(writer: ZipWriter, sizes: list[int]) -> SparseFile:
    file = SparseFile()
    for number, size in enumerate(sizes):
        file.append(writer.begin(Member(f"{number}.bin", size, NOON), crc32_of_zeros(size)))
        file.append_zeros(size)
    for piece in writer.finish():
        file.append(piece)
    return file


@pytest.mark.parametrize(
    "sizes",
    [
        # On both sides of what four bytes hold: of a size, of an offset, of the directory's.
        [(1 << 32) - 2],
        [(1 << 32) - 1],
        [1 << 32, 1],
        [1, (1 << 32) - 1 - 2 * 44, 1],
        [3 * GIB, GIB - 200, 100, 100, 1],
        [3 * GIB, 3 * GIB, 10],
        [1 << 40, 10, 1 << 42, 0],
    ],
)
def test_zip64_where_four_bytes_are_too_few(writer, sizes):
    file = sparse_archive(writer, sizes)
    assert length_of([Member(f"{n}.bin", size, NOON) for n, size in enumerate(sizes)]) == file.size
    with zipfile.ZipFile(file) as opened:
        infos = opened.infolist()
        assert [info.file_size for info in infos] == sizes
        for info in infos:
            assert info.extract_version == (
                45 if max(info.file_size, info.header_offset) >= 0xFFFFFFFF else 20
            )
            # Reads the local header too; the rest of it as long as that is quick.
            with opened.open(info) as member:
                assert member.read(10) == bytes(min(info.file_size, 10))
                if info.file_size < 1000:
                    member.read()


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536, 70_000])
def test_zip64_where_two_bytes_are_too_few(writer, tmp_path, count):
    members = [Member(f"{number}", 0, NOON) for number in range(count)]
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        for member in members:
            file.write(writer.begin(member, 0))
        file.writelines(writer.finish())
    assert path.stat().st_size == length_of(members)
    assert (b"PK\x06\x06" in path.read_bytes()[-200:]) == (count >= 65_535)
    with zipfile.ZipFile(path) as opened:
        assert len(opened.namelist()) == count
    if shutil.which("unzip"):
        listed = subprocess.run(["unzip", "-Z1", path], capture_output=True, check=True).stdout
        assert listed.count(b"\n") == count


def test_unzip_reads_a_member_above_four_gib(writer, tmp_path):
    """The zeros of it are a hole in the file: nothing of it is stored."""
    if not shutil.which("unzip"):
        pytest.skip("unzip is not installed")
    sparse, path = sparse_archive(writer, [(4 << 30) + 1, 5]), tmp_path / "large.zip"
    with path.open("wb") as file:
        for start, part in sparse.parts:
            file.seek(start)
            file.write(part)
    listed = subprocess.run(["unzip", "-Zl", path], capture_output=True, text=True, check=True)
    assert f"{(4 << 30) + 1} bx" in listed.stdout
    # The small one lies behind it.
    subprocess.run(["unzip", "-tqq", path, "1.bin"], check=True)


def splits(data: bytes, seed: int) -> Iterator[list[bytes]]:
    choose = random.Random(seed)
    for count in (1, 2, 3, 10, 100):
        places = sorted(choose.randrange(len(data) + 1) for _ in range(count - 1))
        yield [
            data[start:stop] for start, stop in zip([0, *places], [*places, len(data)], strict=True)
        ]


@pytest.mark.parametrize("size", [1, 2, 255, 4096, 100_000, (1 << 20) + 1])
def test_checksums_of_parts_give_that_of_the_whole(size):
    data = noise(size, seed=size)
    for parts in splits(data, seed=size):
        crc = 0
        for part in parts:
            crc = crc32_combine(crc, zlib.crc32(part), len(part))
        assert crc == zlib.crc32(data)


@pytest.mark.parametrize("size", [1, 1000, 1 << 20, (1 << 24) + 7])
def test_checksums_of_zeros(size):
    assert crc32_of_zeros(size) == zlib.crc32(bytes(size))


def test_nothing_appended_changes_nothing():
    assert crc32_combine(0x12345678, 0, 0) == 0x12345678
    assert crc32_combine(0, 0x12345678, 1 << 50) == 0x12345678


def test_the_directory_leaves_memory(writer):
    for number in range(30_000):
        writer.begin(Member(f"{number:050}", 0, NOON), 0)
    assert writer._directory._rolled
    assert max(map(len, writer.finish())) <= 128 << 10
