"""Every way by which a file comes in, each a function; all tell alike what became of it.

Entry points: DOORS, client_asking for requests in this process, server_asking for a real server.
A door gets a file and whoever sends it; what it has no way to say is in its `cannot`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from files.models import File
from files.tests.running_server import Answer, RunningServer, ask

BOUNDARY = "----files-tests-doors-hZ3kQ"
HTML = {"Accept": "text/html"}
# Beginnings of what is told in words only, where programs get a code.
WORDS = {
    "bytes or more; the limit is": "too_large",
    "there is room for": "storage_full",
    "the same bytes are": "duplicate",
    "no name that a file could have": "invalid_name",
    "has an empty name": "invalid_name",
    "characters, the limit is": "invalid_name",
    "have the sha-256": "digest_mismatch",
    "sign in": "authentication_required",
}


@dataclass(frozen=True)
class Sent:
    """A file on its way; `digest` is the SHA-256 to announce, where it shall be."""

    name: str
    data: bytes
    digest: bytes | None = None

    @property
    def digest_header(self) -> dict[str, str]:
        if self.digest is None:
            return {}
        return {"Repr-Digest": f"sha-256=:{base64.b64encode(self.digest).decode()}:"}


@dataclass(frozen=True)
class Result:
    """What became of it: a file, or a refusal's code with the id of the file that is there."""

    file_id: int | None = None
    code: str = ""
    existing_id: int | None = None


class Refused(Exception):  # noqa: N818  # an answer among several, no failure
    """One of a door's requests was refused, and the door stops there."""

    def __init__(self, result: Result) -> None:
        super().__init__(str(result))
        self.result = result


# Sends a request: method, path, body, headers.
Ask = Callable[[str, str, bytes, Mapping[str, str]], Answer]


def client_asking(user: User | None = None) -> Ask:
    """Return what asks this process, signed in as `user`, with the token of his session."""
    client = Client(enforce_csrf_checks=True)
    own: dict[str, str] = {}
    if user is not None:
        client.force_login(user)
        client.get("/add/")
        own = {"X-CSRFToken": client.cookies["csrftoken"].value}

    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent = dict(headers)
        # By itself it would forget the type of an empty body.
        kind: Any = {"CONTENT_TYPE": sent.pop("Content-Type")} if "Content-Type" in sent else {}
        response: Any = client.generic(method, path, body, headers=own | sent, **kind)
        told = Message()
        for name, value in response.items():
            told[name] = value
        return Answer(response.status_code, b"".join(response), told)

    return send


def server_asking(server: RunningServer) -> Ask:
    """Return what asks a real server, or any of several, each time on a new connection."""

    def send(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        with server.connect() as connection:
            return ask(connection, method, path, body, headers)

    return send


def form_of(sent: Sent, **fields: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of the form that a browser sends, `fields` before the file.

    Source of the escapes: WHATWG HTML, "multipart/form-data encoding algorithm".
    """
    name = sent.name
    for char, escape in (("\r", "%0D"), ("\n", "%0A"), ('"', "%22")):
        name = name.replace(char, escape)
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    )
    body = "".join(parts).encode() + sent.data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def through_form(ask: Ask, sent: Sent) -> Result:
    body, headers = form_of(sent)
    return told_by(ask("POST", "/upload", body, headers | sent.digest_header))


def through_api(ask: Ask, sent: Sent) -> Result:
    body, headers = form_of(sent)
    return told_by(ask("POST", "/api/v1/files/", body, headers | sent.digest_header))


def through_put(ask: Ask, sent: Sent) -> Result:
    headers = {"Content-Type": "text/plain"} | sent.digest_header
    return told_by(ask("PUT", f"/upload/{quote(sent.name, safe='')}", sent.data, headers))


def through_page(ask: Ask, sent: Sent) -> Result:
    """Fill the page's form in, as a browser without JavaScript does."""
    page = ask("GET", "/add/", b"", HTML)
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    fields = {"csrfmiddlewaretoken": token[1].decode()} if token else {}
    body, headers = form_of(sent, **fields)
    return told_by_page(ask("POST", "/add/", body, headers | HTML))


def through_page_by_script(ask: Ask, sent: Sent) -> Result:
    """Send the page's form as a script of that page does, with the token in a header."""
    page = ask("GET", "/add/", b"", HTML)
    token = re.search(rb'data-csrf-token="(\w+)"', page.body)
    own = {"X-Requested-With": "XMLHttpRequest", "Sec-Fetch-Site": "same-origin"}
    if token:
        own["X-CSRFToken"] = token[1].decode()
    body, headers = form_of(sent)
    return told_by_page(ask("POST", "/add/", body, headers | own | sent.digest_header))


def through_admin(ask: Ask, sent: Sent) -> Result:
    """Go where the admin's "Add file" leads."""
    answer = ask("GET", "/admin/files/file/add/", b"", HTML)
    if answer.headers["Location"] != "/add/":
        return told_by_page(answer)
    return through_page(ask, sent)


def told_by(answer: Answer) -> Result:
    """Return what an answer in JSON says."""
    told = answer.json()
    if answer.status in (200, 201):
        return Result(told["id"])
    if told["status"] != answer.status:
        raise AssertionError(f"{answer.status} says {told}")
    existing = told.get("existing") or {}
    return Result(code=told["code"], existing_id=existing.get("id"))


def told_by_page(answer: Answer) -> Result:
    """Return what a page says, or where it leads."""
    if answer.headers.get_content_type() == "application/problem+json":
        return told_by(answer)
    if answer.status == 302:
        path = urlsplit(answer.headers["Location"]).path
        if path == "/admin/login/":
            return Result(code="authentication_required")
        return Result(int(path.removeprefix("/view/").removesuffix("/")))
    text = answer.body.decode()
    alert = re.search(r'role="alert">(.*?)</div>', text, re.S)
    shown = alert[1] if alert else text.partition("<main")[2]
    existing = re.search(r'href="/view/(\d+)/"', shown)
    return Result(code=code_of(unescape(shown)), existing_id=int(existing[1]) if existing else None)


def code_of(sentence: str) -> str:
    """Return the code of the refusal that a sentence tells of; the sentence, if none is known."""
    lower = sentence.lower()
    return next((code for words, code in WORDS.items() if words in lower), sentence)


@dataclass(frozen=True)
class Door:
    """A way in. `cannot` says what it has no way to express, and why."""

    name: str
    send: Callable[[User | None, Sent], Result]
    cannot: Mapping[str, str] = field(default_factory=dict)
    is_form: bool = False
    # What the log calls who sent it without an account.
    nobody: str = "anyone"
    is_for_operators: bool = False
    # Others than this thread write: what the test wrote must be committed.
    has_threads: bool = False


def by_requests(
    send: Callable[[Ask, Sent], Result],
) -> Callable[[User | None, Sent], Result]:
    """Return a door of this process that asks as its user."""
    return lambda user, sent: send(client_asking(user), sent)


def through_import(user: User | None, sent: Sent) -> Result:
    """Let the command take a file of the disk."""
    options = ["--owner", user.get_username()] if user else []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, sent.name)
        Path(path).write_bytes(sent.data)
        output = io.StringIO()
        with contextlib.suppress(SystemExit):
            call_command(
                *("import_files", path, "--on-duplicate", "fail", "--json", *options),
                stdout=output,
                stderr=io.StringIO(),
            )
    hash = hashlib.sha256(sent.data).hexdigest()
    ids = File.objects.filter(hash=hash).values_list("pk", flat=True)
    return told_by_import(json.loads(output.getvalue())) or Result(ids.get())


def told_by_import(report: Mapping[str, Any]) -> Result | None:
    """Return what an import of one file reports; None if it is stored, as it tells no id."""
    if not report["failures"]:
        return None
    reason = report["failures"][0]["reason"]
    existing = re.search(r"as file ([\d,]+)", reason)
    return Result(code=code_of(reason), existing_id=int(existing[1]) if existing else None)


NO_HEADERS = "a form of a page sends no headers of its own"
OF_THE_DISK = "names come from the disk, where they are neither empty nor longer than 255 bytes"
WITH_SLASHES = "a slash ends a folder there; the folder is kept as one"
DOORS = (
    Door("form", by_requests(through_form), is_form=True),
    Door("put", by_requests(through_put)),
    Door("api", by_requests(through_api), is_form=True),
    Door("page", by_requests(through_page), {"digest": NO_HEADERS}, is_form=True),
    Door("page by script", by_requests(through_page_by_script), is_form=True),
    Door(
        "admin",
        by_requests(through_admin),
        {"digest": NO_HEADERS, "nobody": "who is not signed in is asked to, in every mode"},
        is_form=True,
        is_for_operators=True,
    ),
    Door(
        "import",
        through_import,
        {
            "digest": "nobody announces anything: the bytes are here to be read",
            "rights": "who runs commands on the machine may do all",
            "counted duplicate": "a second run over the same folder refuses nobody anything",
            "empty name": OF_THE_DISK,
            "long name": OF_THE_DISK,
            "slash": WITH_SLASHES,
        },
        nobody="system",
        has_threads=True,
    ),
)
