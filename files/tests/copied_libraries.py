"""A library with some of everything, and the look at one that two equal ones share.

Entry points: make_library, look_at and copy_to_the_end, for the tests of copy_library.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command

from files.actors import DEFAULT_SPACE_ID, SYSTEM
from files.exceptions import DuplicateFileError
from files.models import INLINE_SIZE, MAX_CHUNK_SIZE, Chunk, Content, File, Label, Space
from files.services.copying.databases import opened
from files.services.copying.rows import copied_models
from files.services.deletion import delete_file, purge_file
from files.services.editing import edit_file
from files.services.labels import create_label
from files.tests.factories import make_file
from files.tests.samples import noise

MIB = MAX_CHUNK_SIZE
SIZES = (0, 1, INLINE_SIZE, INLINE_SIZE + 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3)
# Some differ in case or in accents only.
NAMES = ("a.txt", "A.txt", "ä.txt", "Ä.txt", "a\N{COMBINING DOT BELOW}.txt", "🦉 owl's 100%.txt")


def make_library() -> None:
    """Fill the configured database."""
    user = User.objects.create_user("anna", "anna@example.org", "Paß wort")
    group = Group.objects.create(name="Büro")
    group.permissions.set(Permission.objects.filter(content_type__app_label="files")[:3])
    user.groups.add(group)
    user.user_permissions.set(Permission.objects.order_by("-pk")[:2])
    Space.objects.create(name="Zweite 🏠")
    for name in ("red", "Red", "röd"):
        create_label(actor=SYSTEM, space_id=DEFAULT_SPACE_ID, name=name)
    files = [make_file(noise(size, size + 1), name=f"{size}.bin") for size in SIZES]
    files += [make_file(name.encode(), name=name, folder="Übung/ÄÖ") for name in NAMES]
    File.everything.filter(pk=files[0].pk).update(owner=user)
    for file in files[:4]:
        edit_file(actor=SYSTEM, file_id=file.pk, labels=["red", "röd"])
    delete_file(actor=SYSTEM, file_id=files[5].pk)
    purge_file(actor=SYSTEM, file_id=make_file().pk)
    try:
        make_file(noise(1, 2))
    except DuplicateFileError:
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(File),
            object_id=str(files[0].pk),
            object_repr=files[0].name,
            action_flag=CHANGE,
        )


def empty_database(made_in: Path, folder: Path) -> str:
    """Return the address of a new SQLite file with empty tables; those are made once, for all."""
    made = made_in / "empty.sqlite3"
    if not made.exists():
        with opened(f"sqlite:///{made}", "made"):
            call_command("migrate", database="made", verbosity=0)
    return f"sqlite:///{shutil.copy(made, folder / 'copy.sqlite3')}"


def flip(alias: str, file: File, offset: int = 0) -> None:
    """Damage a chunk of a file as a failing disk does."""
    chunks = Chunk.objects.using(alias).filter(content=file.content, offset=offset)
    data = bytearray(chunks.get().data)
    data[len(data) // 2] ^= 1
    chunks.update(data=bytes(data))


def look_at(alias: str = "default") -> dict[str, Any]:
    """Return all rows of a library by table, and the hashes of its bytes."""
    look: dict[str, Any] = {}
    for model in copied_models():
        names = [field.attname for field in model._meta.concrete_fields]
        rows = model._base_manager.using(alias).order_by("pk").values(*names)
        look[model._meta.db_table] = [
            {name: _plain(value) for name, value in row.items()} for row in rows
        ]
    owned = Content.objects.using(alias).filter(state=Content.State.STORED, files__isnull=False)
    look["content"] = list(owned.order_by("pk").values())
    chunks = Chunk.objects.using(alias).filter(content__in=owned).order_by("content", "offset")
    columns = ("content_id", "offset", "size", "checksum", "data")
    look["chunk"] = [tuple(map(_plain, row)) for row in chunks.values_list(*columns)]
    return look


def look_into(url: str) -> dict[str, Any]:
    """Return what `look_at` does of the database at the URL."""
    with opened(url, "looked_at"):
        return look_at("looked_at")


def strays(alias: str) -> list[tuple[int, str]]:
    """Return the contents, with their states, that no file has."""
    contents = Content.objects.using(alias).filter(files__isnull=True)
    return list(contents.values_list("pk", "state"))


def names_of_labels(alias: str) -> list[str]:
    return list(Label.objects.using(alias).order_by("name").values_list("name", flat=True))


def run_copy(target: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run the command; return its exit status, its report and all that it says otherwise."""
    output, errors = io.StringIO(), io.StringIO()
    status, said = 0, ""
    try:
        call_command("copy_library", target, "--json", *arguments, stdout=output, stderr=errors)
    except SystemExit as end:
        status = int(end.code or 0)
    except CommandError as error:
        status, said = error.returncode, str(error)
    report = json.loads(output.getvalue() or "{}")
    return status, report, errors.getvalue() + said


def copy_to_the_end(target: str) -> dict[str, Any]:
    """Run the command, which must come to the end; return its report."""
    status, report, said = run_copy(target)
    assert (status, said, report["is_complete"]) == (0, "", True)
    return report


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    return value
