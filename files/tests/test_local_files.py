from __future__ import annotations

from pathlib import Path

import pytest

from files.local_files import Found, PassedOver, TreeWalk, printable, readable


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/srv/Grüße 🦉", "/srv/Grüße 🦉"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\udce9t\udce9", "\\udce9t\\udce9"),
        ("a\u202eb\u2028c", "a\\u202eb\\u2028c"),
    ],
)
def test_a_path_is_shown_in_one_harmless_line(path, shown):
    assert printable(path) == shown


def test_bytes_that_are_no_utf8_are_marked():
    assert readable("\udce9t\udce9 ü") == "\ufffdt\ufffd ü"


def found(walk: TreeWalk, path: Path | str) -> list[tuple[str, str]]:
    """Return the folder and the path's last part of all files."""
    return [
        (item.folder, item.path.rpartition("/")[2])
        for item in walk.walk(str(path))
        if isinstance(item, Found)
    ]


def test_files_come_in_the_order_of_their_names(tmp_path):
    for name in ("b/2", "b/1", "a", "c"):
        (tmp_path / "top" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / name).touch()
    assert found(TreeWalk(), tmp_path / "top") == [
        ("top", "a"),
        ("top/b", "1"),
        ("top/b", "2"),
        ("top", "c"),
    ]
    assert found(TreeWalk(), f"{tmp_path}/top/b/..")[0] == ("", "a")
    assert found(TreeWalk(), tmp_path / "top" / "a") == [("", "a")]


def test_a_file_named_like_a_folder_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    assert list(TreeWalk().walk(f"{tmp_path}/file/")) == [
        PassedOver(f"{tmp_path}/file/", "Not a directory.", is_failure=True)
    ]


def test_links_to_links_to_folders_come_to_an_end(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / "top" / name).mkdir(parents=True)
        (tmp_path / "top" / name / "file").touch()
        for other in ("a", "b", "c"):
            (tmp_path / "top" / name / other).symlink_to(f"../{other}")
    walk = TreeWalk(follow_links=True)
    assert len(found(walk, tmp_path / "top")) == 3
    assert found(walk, tmp_path / "top") == [], "a second PATH to the same folder"
