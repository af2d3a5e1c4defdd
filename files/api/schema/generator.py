"""Puts the document together from the routes, the serializers, the docstrings and the tables."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from drf_spectacular.drainage import warn
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.utils import Direction
from rest_framework.serializers import ModelSerializer, Serializer

from files.api.schema import examples
from files.api.schema.operation import Answer, Body, Operation
from files.api.schema.operations import OPERATIONS
from files.api.schema.parts import HEADERS, PARAMETERS, SECURITY_SCHEMES, TAGS
from files.api.schema.probes import PROBE_OPERATIONS
from files.api.schema.refusals import Refusal
from files.api.schema.upload_operations import UNLISTED_OPERATIONS
from files.api.schema.upload_parts import UPLOAD_HEADERS, UPLOAD_PARAMETERS
from files.api.serializers import ProblemSerializer
from files.middleware import SAFE_METHODS

Json = dict[str, Any]

PROBLEM: Final = "application/problem+json"
# What answers of a status have besides X-Request-ID.
REFUSAL_HEADERS: Final[Mapping[int, tuple[str, ...]]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ("Accept-Ranges", "Content-Range"),
}
# GET routes of which HEAD is worth telling: it costs no transfer.
WITH_HEAD: Final = ("/download/{file_id}", "/api/v1/files/{file_id}/content/")


class FilesSchema(AutoSchema):
    """One operation: its texts from the action's docstring, the rest from OPERATIONS."""

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> Json | None:
        self.registry = registry
        operation = OPERATIONS.get((method, path))
        if operation is None:
            warn(f"{method} {path} has no entry in files.api.schema.operations")
            return None
        action = getattr(self.view, str(getattr(self.view, "action", "")), None)
        description = inspect.getdoc(action) if action else None
        return self.described(operation, method, description or "")

    def described(self, operation: Operation, method: str, description: str) -> Json:
        """Return the operation as the document has it."""
        told: Json = {
            "operationId": operation.id,
            "summary": operation.summary,
            "description": description,
            "tags": [operation.tag],
        }
        if operation.parameters:
            told["parameters"] = [_reference("parameters", name) for name in operation.parameters]
        if operation.bodies:
            content = self._content(operation.bodies, "request")
            told["requestBody"] = {"content": content, "required": operation.needs_body}
        told["responses"] = {
            str(code): self._answer(one) for code, one in operation.answers.items()
        }
        told["responses"] |= self._refusals(operation.refusals)
        told["security"] = [] if operation.is_open else _security(method)
        return told

    def _answer(self, answer: Answer) -> Json:
        told: Json = {
            "description": answer.description,
            "headers": _headers(*answer.headers),
        }
        return told | (
            {"content": self._content(answer.bodies, "response")} if answer.bodies else {}
        )

    def _content(self, bodies: Sequence[Body], direction: Direction) -> Json:
        content = {}
        for body in bodies:
            content[body.media_type] = {"schema": self._kind(body, direction)}
            if body.example is not None:
                content[body.media_type]["example"] = body.example
        return content

    def _kind(self, body: Body, direction: Direction) -> Json:
        if isinstance(body.kind, dict):
            return body.kind
        reference = self._component(body.kind(partial=body.partial), direction)
        return {"type": "array", "items": reference} if body.many else reference

    def _component(self, serializer: Serializer[Any], direction: Direction) -> Json:
        reference: Json = self.resolve_serializer(serializer, direction).ref
        return reference

    def _refusals(self, refusals: Sequence[Refusal]) -> Json:
        """Return an answer for each status, whose schema has its codes."""
        by_status = attrgetter("status")
        groups = groupby(sorted(refusals, key=by_status), key=by_status)
        return {str(status): self._refusal(status, list(some)) for status, some in groups}

    def _refusal(self, status: int, refusals: Sequence[Refusal]) -> Json:
        """Return the answer of one status, whose schema has its codes."""
        kind = {
            "allOf": [
                self._component(ProblemSerializer(), "response"),
                {
                    "type": "object",
                    "properties": {
                        "status": {"const": status},
                        "code": {"enum": [refusal.code for refusal in refusals]},
                    },
                },
            ]
        }
        told = {refusal.code: {"value": examples.problem(refusal)} for refusal in refusals}
        return {
            "description": "\n".join(f"- `{refusal.code}`: {refusal.when}" for refusal in refusals),
            "headers": _headers(*REFUSAL_HEADERS.get(status, ())),
            "content": {PROBLEM: {"schema": kind, "examples": told}},
        }

    def _postprocess_serializer_schema(
        self, schema: Json, serializer: Serializer[Any], direction: Direction
    ) -> Json:
        """Tell what is so of all our bodies: unknown fields are refused, rows come whole."""
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request":
            schema["additionalProperties"] = False
        elif isinstance(serializer, ModelSerializer):
            schema["required"] = list(schema["properties"])
        return schema


class FilesSchemaGenerator(SchemaGenerator):
    """The whole document: also the probes, which are no views of REST framework, HEAD, OPTIONS."""

    def parse(self, input_request: Any, public: bool) -> Json:
        found: Json = super().parse(input_request, public)  # type: ignore[no-untyped-call]
        # In the table's order: that of drf-spectacular differs from process to process.
        paths: Json = {path: {} for _, path in OPERATIONS if path in found}
        for method, path in OPERATIONS:
            if operation := found.get(path, {}).get(method.lower()):
                paths[path][method.lower()] = operation
        for path in WITH_HEAD:
            paths[path]["head"] = _head_of(paths[path]["get"])
        schema = FilesSchema()
        schema.registry = self.registry
        for (method, path), one in {**UNLISTED_OPERATIONS, **PROBE_OPERATIONS}.items():
            told = schema.described(one, method, one.description)
            paths.setdefault(path, {})[method.lower()] = told
        return paths

    def get_schema(self, request: Any = None, public: bool = False) -> Json:
        document: Json = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        document["components"] |= {
            "responses": _share_refusals(document["paths"]),
            "headers": HEADERS | UPLOAD_HEADERS,
            "parameters": PARAMETERS | UPLOAD_PARAMETERS,
            "securitySchemes": SECURITY_SCHEMES,
        }
        return document | {"tags": TAGS}


def _share_refusals(paths: Json) -> Json:
    """Put references in the place of equal refusals, and return them by their names.

    One of a single code is called after it, others after who has them first.
    """
    shared: Json = {}
    for operation in (one for path in paths.values() for one in path.values()):
        answers = operation["responses"]
        for status, answer in answers.items():
            codes = list(answer.get("content", {}).get(PROBLEM, {}).get("examples", ()))
            if not codes:
                continue
            name = codes[0] if len(codes) == 1 else f"{operation['operationId']}_{status}"
            name = next((known for known, one in shared.items() if one == answer), name)
            shared[name] = answer
            answers[status] = _reference("responses", name)
    return shared


def _head_of(get: Json) -> Json:
    """Return the operation HEAD: the same without a body, and without ranges."""
    head = copy.deepcopy(get)
    head["operationId"] += "_head"
    head["summary"] = "Look at the headers of a download"
    head["description"] = "Answer with the headers alone, as if all bytes were asked for."
    head["parameters"] = [one for one in head["parameters"] if not one["$ref"].endswith("Range")]
    head["responses"] = {
        status: {key: value for key, value in answer.items() if key != "content"}
        for status, answer in head["responses"].items()
        if status not in ("206", "416")
    }
    return head


def _headers(*names: str) -> Json:
    return {name: _reference("headers", name) for name in (*names, "X-Request-ID")}


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _security(method: str) -> list[Json]:
    """Return who may ask: strangers, as far as FILESERVER_ACCESS lets them, and sessions."""
    session: Json = {"session": []}
    return [{}, session if method in SAFE_METHODS else session | {"token": []}]
