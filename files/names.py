"""Names of files and folders as people see them: cleaned once, when they arrive."""

from __future__ import annotations

import re
import unicodedata

from files.exceptions import InvalidNameError, gettext_noop

MAX_NAME_LENGTH = 255  # characters
MAX_FOLDER_LENGTH = 500  # characters
MAX_LABEL_LENGTH = 100  # characters
MAX_SUFFIX_LENGTH = 16  # characters

# Control characters and NUL, line and paragraph separators, bidirectional embeddings,
# overrides and isolates ("gpj.exe" shown as "exe.jpg"), the byte-order mark, and
# surrogates, which UTF-8 cannot hold.
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SEPARATORS = re.compile(r"[/\\]")
_SUFFIX = re.compile(rf"[\w+-]{{1,{MAX_SUFFIX_LENGTH}}}")
_INVISIBLE = frozenset({"Cf", "Zs"})
_FORM_ESCAPES = re.compile("%(22|0D|0A)")


def decode_form_name(raw: str) -> str:
    """Return a multipart name with the three escapes that browsers make undone.

    Source: WHATWG HTML, "multipart/form-data encoding algorithm".
    """
    return _FORM_ESCAPES.sub(lambda match: chr(int(match[1], 16)), raw)


def clean_name(raw: str) -> str:
    """Return `raw` as a file's name: NFC, no directory, nothing that hides or reorders.

    Raises InvalidNameError when nothing visible is left, or more than 255 characters.
    """
    name = _clean(_SEPARATORS.split(raw)[-1])
    if name in {"", ".", ".."} or all(unicodedata.category(char) in _INVISIBLE for char in name):
        raise _no_name(raw)
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidNameError(
            gettext_noop("The name has %(length)s characters, the limit is %(limit)s."),
            length=len(name),
            limit=MAX_NAME_LENGTH,
        )
    return name


def clean_folder(raw: str) -> str:
    """Return `raw` as a folder to show: parts cleaned like names, joined by "/".

    Raises InvalidNameError above 500 characters.
    """
    parts = (_clean(part) for part in _SEPARATORS.split(raw))
    folder = "/".join(part for part in parts if part not in {"", ".", ".."})
    if len(folder) > MAX_FOLDER_LENGTH:
        raise InvalidNameError(
            gettext_noop("The folder has %(length)s characters, the limit is %(limit)s."),
            length=len(folder),
            limit=MAX_FOLDER_LENGTH,
        )
    return folder


def clean_label(raw: str) -> str:
    """Return `raw` as the name of a label: NFC, one line, nothing that hides or reorders.

    Raises InvalidNameError when nothing visible is left, or more than 100 characters.
    """
    name = " ".join(_clean(raw).split())
    if all(unicodedata.category(char) in _INVISIBLE for char in name):
        raise InvalidNameError(gettext_noop("A label needs a name that can be seen."))
    if len(name) > MAX_LABEL_LENGTH:
        raise InvalidNameError(
            gettext_noop("The label has %(length)s characters, the limit is %(limit)s."),
            length=len(name),
            limit=MAX_LABEL_LENGTH,
        )
    return name


def suffix_of(name: str) -> str:
    """Return the lower-case text behind the last dot, "" where it is no suffix.

    At most 16 letters, digits, "+", "-" and "_"; ".bashrc" and "notes." have none.
    """
    _, _, suffix = name.lstrip(".").rpartition(".")
    has_dot = suffix != name.lstrip(".")
    suffix = suffix.lower()
    return suffix if has_dot and _SUFFIX.fullmatch(suffix) else ""


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text)).strip()


def _no_name(raw: str) -> InvalidNameError:
    if not raw:
        return InvalidNameError(gettext_noop("An empty text holds no name that a file could have."))
    return InvalidNameError(
        gettext_noop("“%(text)s” holds no name that a file could have."),
        text=ascii(raw)[1:-1][:80],
    )
