"""The OpenAPI document is valid, whole, and the same for everybody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from files import exceptions
from files.api.documents import document, rendered
from files.api.schema.generator import WITH_HEAD
from files.api.schema.operations import OPERATIONS
from files.api.schema.probes import PROBE_OPERATIONS
from files.api.schema.refusals import Refusal
from files.api.schema.upload_operations import UNLISTED_OPERATIONS
from files.filters import FileFilter
from files.models import Label
from files.tests.factories import make_file
from files.tests.running_server import RunningServer, environment_of
from files.tests.test_docs import routes

SCHEMA, DOCS = "/api/schema/", "/api/docs/"
# Pages, what describes itself, and what another address stands for.
NOT_OPERATIONS = {"/", "/add/", "/view/<>/", "/view/<>/delete/", "/admin/", SCHEMA, DOCS}
NOT_OPERATIONS |= {"/api/v1/uploads"}


@pytest.fixture(scope="module")
def told() -> Any:
    return json.loads(rendered(is_yaml=False)[0])


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def resolved(told: dict[str, Any], part: dict[str, Any]) -> Any:
    """Return what a reference stands for."""
    if "$ref" not in part:
        return part
    found: Any = told
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def check_is(told: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    OAS31Validator(schema | {"components": told["components"]}).validate(value)


def test_it_is_valid(told):
    assert told["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(told).iter_errors()) == []


def test_nothing_had_to_be_guessed():
    document.__wrapped__()
    assert not GENERATOR_STATS


def test_every_route_is_in_it(told):
    documented = {re.sub(r"\{\w+\}", "<>", path) for path in told["paths"]}
    assert documented == set(routes(get_resolver())) - NOT_OPERATIONS


def test_the_tables_have_no_other(told):
    copied = {("HEAD", path) for path in WITH_HEAD}
    found = {(method, path) for method, path, _ in operations(told)}
    tables = OPERATIONS.keys() | PROBE_OPERATIONS.keys() | UNLISTED_OPERATIONS.keys()
    assert found - copied == tables


def test_every_operation_tells_what_it_does(told):
    names = [operation["operationId"] for _, _, operation in operations(told)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(told):
        assert operation["description"], (method, path)
        for status, answer in operation["responses"].items():
            content = resolved(told, answer).get("content", {})
            for media_type, body in content.items():
                if media_type.endswith("json"):
                    assert "example" in body or "examples" in body, (method, path, status)


def test_every_refusal_is_in_it(told):
    def codes(kind: type[exceptions.FilesError]) -> Iterator[str]:
        yield kind.code
        for one in kind.__subclasses__():
            yield from codes(one)

    documented = {
        refusal.code
        for operation in (*OPERATIONS.values(), *PROBE_OPERATIONS.values())
        for refusal in operation.refusals
        if isinstance(refusal, Refusal)
    }
    assert set(codes(exceptions.FilesError)) - documented == {"error"}


def test_every_filter_is_in_it(told):
    for path in ("/files", "/api/v1/files/", "/api/v1/files/archive/"):
        parameters = [resolved(told, one) for one in told["paths"][path]["get"]["parameters"]]
        assert FileFilter.base_filters.keys() <= {one["name"] for one in parameters}


def test_the_examples_are_true(told):
    for _, _, operation in operations(told):
        bodies = [operation.get("requestBody", {})]
        bodies += [resolved(told, answer) for answer in operation["responses"].values()]
        for media_type, body in (
            (k, v) for one in bodies for k, v in one.get("content", {}).items()
        ):
            if media_type.startswith("multipart/"):
                continue
            values = [one["value"] for one in body.get("examples", {}).values()]
            for value in [*values, *([body["example"]] if "example" in body else [])]:
                check_is(told, body["schema"], value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/files",
        "/api/v1/files/",
        "/api/v1/files/{file_id}/",
        "/api/v1/labels/",
        "/api/v1/labels/{label_id}/",
        "/api/v1/types/",
        "/api/v1/stats/",
    ],
)
def test_answers_have_the_documented_fields_and_no_others(client, told, path):
    file, label = make_file(), Label.objects.create(space_id=1, name="urgent")
    response = client.get(path.format(file_id=file.pk, label_id=label.pk))
    answer = json.loads(response.getvalue())
    content = told["paths"][path]["get"]["responses"]["200"]["content"]
    closed = json.loads(json.dumps(told))
    for schema in closed["components"]["schemas"].values():
        schema["unevaluatedProperties"] = False
    check_is(closed, content["application/json"]["schema"], answer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parameters", "accept", "media_type"),
    [
        ("", "*/*", "application/vnd.oai.openapi+json"),
        ("", "text/html,*/*;q=0.8", "application/vnd.oai.openapi+json"),
        ("", "application/json", "application/json"),
        ("", "application/yaml", "application/yaml"),
        ("?format=yaml", "*/*", "application/vnd.oai.openapi"),
        ("?format=yaml", "text/html", "application/vnd.oai.openapi"),
        ("?format=json", "application/yaml", "application/vnd.oai.openapi+json"),
    ],
)
def test_it_comes_in_the_form_that_is_asked_for(client, told, parameters, accept, media_type):
    response = client.get(SCHEMA + parameters, headers={"Accept": accept})
    assert response["Content-Type"] == f"{media_type}; charset=utf-8"
    assert yaml.safe_load(response.content) == told


@pytest.mark.django_db
def test_who_has_it_does_not_get_it_again(client):
    first = client.get(SCHEMA)
    again = client.get(SCHEMA, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["Content-Length"] == first["Content-Length"]
    assert client.get(f"{SCHEMA}?format=yaml")["ETag"] != first["ETag"]


@pytest.mark.django_db
def test_it_is_made_once(client):
    client.get(SCHEMA)
    made = document.cache_info().misses
    for _ in range(3):
        client.get(SCHEMA)
    assert document.cache_info().misses == made


def test_every_process_makes_the_same(tmp_path):
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json"]
    made = {
        subprocess.run(
            command,
            cwd=settings.BASE_DIR,
            env=environment_of(tmp_path, PYTHONHASHSEED=seed),
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("path", [SCHEMA, DOCS])
def test_a_private_server_tells_strangers_nothing(client, admin_client, settings, path):
    settings.FILESERVER_ACCESS = "private"
    assert client.get(path).status_code == 401
    page = client.get(path, headers={"Accept": "text/html"})
    assert page["Location"] == f"/admin/login/?next={path}"
    assert admin_client.get(path).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("post", SCHEMA, 405, "method_not_allowed"),
        ("post", DOCS, 405, "method_not_allowed"),
        ("get", f"{SCHEMA}?format=xml", 404, "not_found"),
    ],
)
def test_what_cannot_be_is_refused_in_words(client, method, path, status, code):
    response = getattr(client, method)(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.django_db
def test_more_parameters_than_django_takes_are_refused_in_words(client):
    response = client.get("/api/v1/files/archive/", {"id": list(range(1, 600))})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"name": 5}, {"folder": 5}, {"labels": [5]}, {"name": True}])
def test_a_number_is_no_text(client, fields):
    file = make_file(name="a.txt")
    path = f"/api/v1/files/{file.pk}/"
    response = client.patch(path, json.dumps(fields), content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_fields")


@pytest.mark.django_db
def test_answers_without_a_body_have_no_type(client):
    file = make_file()
    path = f"/api/v1/files/{file.pk}/"
    unchanged = client.get(path, headers={"If-None-Match": file.version_etag})
    assert (unchanged.status_code, "Content-Type" in unchanged) == (304, False)
    deleted = client.delete(path)
    assert (deleted.status_code, "Content-Type" in deleted) == (204, False)
    assert "Content-Length" not in deleted


@pytest.mark.live
def test_the_page_has_all_its_files_and_nobody_else_s(server: RunningServer):
    page = server.request("GET", DOCS).body.decode()
    paths = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert any("swagger-ui-bundle" in path for path in paths)
    assert {server.request("GET", path).status for path in paths} == {200}
    brought = server.data / "static" / "drf_spectacular_sidecar"
    assert [path.name for path in brought.iterdir()] == ["swagger-ui-dist"]
