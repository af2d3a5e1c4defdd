"""What a refusal says can be translated, at every place that refuses."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from files import exceptions
from files.exceptions import (
    DuplicateFileError,
    FilesError,
    FileTooLargeError,
    InvalidFilterError,
    Phrase,
)

ROOT = Path(__file__).resolve().parent.parent
# Take phrases, and make their own sentence of them.
WITHOUT_TEMPLATE = {"InvalidFieldsError", "InvalidFilterError"}
# Messages that other catalogues translate.
OF_OTHERS = {"str(error.message)", "'%(text)s'"}
NAMES = {
    name
    for name, value in vars(exceptions).items()
    if isinstance(value, type) and issubclass(value, FilesError | Phrase)
} - WITHOUT_TEMPLATE
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        place = str(path.relative_to(ROOT))
        if not place.startswith("tests/"):
            yield place, ast.parse(path.read_text(encoding="utf-8"), place)


def called(node: ast.AST) -> str:
    """Return the last name of the function that `node` calls, "" where it calls none."""
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def template_in(node: ast.expr, variables: Mapping[str, ast.expr]) -> str | None:
    """Return the text that `node` marks for translation, None where it marks none."""
    if isinstance(node, ast.Name):
        node = variables.get(node.id, node)
    if not isinstance(node, ast.Call) or called(node) != "gettext_noop":
        return None
    text = node.args[0]
    return text.value if isinstance(text, ast.Constant) and isinstance(text.value, str) else None


def refusals() -> Iterator[tuple[str, str | None, set[str | None]]]:
    """Yield place, template and parameters of each refusal or phrase that is made."""
    for place, tree in sources():
        nodes = list(ast.walk(tree))
        variables = {
            ast.unparse(node.targets[0]): node.value
            for node in nodes
            if isinstance(node, ast.Assign)
        }
        for node in nodes:
            if not isinstance(node, ast.Call) or called(node) not in NAMES:
                continue
            if ", ".join(ast.unparse(argument) for argument in node.args) in OF_OTHERS:
                continue
            template = template_in(node.args[0], variables) if len(node.args) == 1 else None
            parameters = {keyword.arg for keyword in node.keywords}
            yield f"{place}:{node.lineno}", template, parameters


REFUSALS = list(refusals())


def test_refusals_are_found():
    assert len(REFUSALS) > 40
    assert {place.partition(":")[0] for place, _, _ in REFUSALS} >= {
        "names.py",
        "storage/faults.py",
        "http/multipart.py",
        "services/uploads.py",
        "api/errors.py",
    }


def test_every_refusal_is_marked_for_translation():
    wrong = [place for place, template, _ in REFUSALS if template is None]
    assert not wrong, 'the first argument is gettext_noop("…"), without parameters in it'


def test_no_refusal_is_raised_without_words():
    wrong = [
        f"{place}:{node.lineno}"
        for place, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc and ast.unparse(node.exc) in NAMES
    ]
    assert not wrong


def test_templates_name_the_parameters_given():
    wrong = [
        (place, template, parameters)
        for place, template, parameters in REFUSALS
        if template is not None
        and (
            set(PLACEHOLDER.findall(template)) != parameters
            or "%" in PLACEHOLDER.sub("", template).replace("%%", "")
        )
    ]
    assert not wrong


def test_error_is_its_sentence_in_english():
    error = FileTooLargeError("At most %(limit)s of %(name)s.", limit="1,000", name="100%")
    assert str(error) == "At most 1,000 of 100%."
    assert (error.template, error.params) == (
        "At most %(limit)s of %(name)s.",
        {"limit": "1,000", "name": "100%"},
    )
    assert str(FilesError("%(what)s came.", what=Phrase("“%(name)s”", name="x"))) == "“x” came."


def test_duplicate_keeps_the_file_that_is_there():
    error = DuplicateFileError("It is file %(existing_id)s.", existing_id=7)
    assert (str(error), error.existing_id) == ("It is file 7.", 7)


def test_filter_error_names_every_parameter():
    error = InvalidFilterError({"a%b": Phrase("No %(what)s.", what="such"), "c": Phrase("Twice.")})
    assert str(error) == "a%b: No such. c: Twice."


def compiled(messages: Mapping[str, str]) -> bytes:
    """Return a catalogue as msgfmt makes it (GNU gettext manual, "MO Files")."""
    header = {"": "Content-Type: text/plain; charset=UTF-8\n"}
    pairs = sorted((key.encode(), text.encode()) for key, text in {**header, **messages}.items())
    start = 28 + 16 * len(pairs)
    tables, strings = b"", b""
    for column in (0, 1):
        for pair in pairs:
            tables += struct.pack("<2I", len(pair[column]), start + len(strings))
            strings += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + tables + strings


GERMAN = {
    "The file has %(size)s bytes or more; the limit is %(limit)s.": (
        "Höchstens %(limit)s Bytes, die Datei hat %(size)s oder mehr."
    ),
    "No file came. It belongs in one part named “%(field)s” with a filename"
    " (curl -F %(field)s=@…); what came: %(came)s.": "Keine Datei, sondern %(came)s.",
    "%(first)s, %(second)s": "%(first)s und %(second)s",
    "“%(name)s” without filename": "„%(name)s“ ohne Dateinamen",
    "There is no such filter.": "Diesen Filter gibt es nicht.",
    "One of %(orderings)s; - for descending.": "Eines von %(orderings)s.",
    "You may look at the files, and not change them.": "Sie dürfen die Dateien nur ansehen.",
    "This request comes from a page of another site.": "Das kommt von einer fremden Seite.",
}


@pytest.fixture
def german(settings, tmp_path: Path, db: None) -> Client:
    """Return a client that reads German, for which there is a catalogue."""
    folder = tmp_path / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(compiled(GERMAN))
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    return Client(headers={"Accept-Language": "de"})


HTML = {"Accept": "text/html"}


def test_upload_page_translates_a_refusal(german, settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    file = SimpleUploadedFile("a.txt", b"x" * 1001)
    response = german.post("/add/", {"file": file}, headers=HTML)
    assert response.status_code == 413
    assert "Höchstens 1,000 Bytes, die Datei hat 1,001 oder mehr." in response.content.decode()


def test_parts_of_a_sentence_are_translated_too(german):
    response = german.post("/add/", {"one": "x", "two": "y"}, headers=HTML)
    assert "Keine Datei, sondern „one“ ohne Dateinamen und „two“" in response.content.decode()


def test_list_page_translates_a_wrong_filter(german):
    response = german.get("/?ordering=colour", headers=HTML)
    assert response.status_code == 400
    assert "ordering: Eines von name, size, upload_date." in response.content.decode()


def test_page_of_a_refused_request_is_translated(german, monkeypatch):
    def refuse(actor: object, space_id: int) -> None:
        raise exceptions.AccessDeniedError("You may look at the files, and not change them.")

    monkeypatch.setattr("files.views.upload.require_write", refuse)
    response = german.get("/add/", headers=HTML)
    assert response.status_code == 403
    assert "Sie dürfen die Dateien nur ansehen." in response.content.decode()


def test_request_of_another_site_is_refused_in_the_readers_language(german):
    response = german.post("/add/", headers=HTML | {"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "Das kommt von einer fremden Seite." in response.content.decode()


def test_programs_are_told_in_english(german, settings):
    settings.FILESERVER_MAX_UPLOAD_SIZE = 1000
    file = SimpleUploadedFile("a.txt", b"x" * 1001)
    problem = german.post("/upload", {"file": file}).json()
    assert problem["detail"] == "The file has 1,001 bytes or more; the limit is 1,000."
    problem = german.get("/files?min_size=big&colour=red").json()
    assert problem["errors"] == {
        "colour": "There is no such filter.",
        "min_size": "Enter a whole number.",
    }
    assert problem["detail"] == "colour: There is no such filter. min_size: Enter a whole number."
