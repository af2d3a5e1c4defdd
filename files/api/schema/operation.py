"""What is told of one operation beside the docstring of its action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rest_framework.serializers import Serializer

from files.api.schema.refusals import Refusal

Kind = type[Serializer[Any]] | dict[str, Any]

BYTES: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "folder": {
            "type": "string",
            "default": "",
            "description": 'Where it is shown: parts joined by "/". Stands before the file.',
        },
        "file": BYTES | {"description": "The file; its name is the part's file name."},
    },
}


@dataclass(frozen=True, kw_only=True)
class Body:
    """A request's or an answer's body: its schema, media type and an example."""

    kind: Kind
    media_type: str = "application/json"
    example: Any = None
    many: bool = False
    partial: bool = False  # no field has to be there


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is no refusal; `headers` besides those that every answer has."""

    description: str
    bodies: tuple[Body, ...] = ()
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one route; `description` only where there is no docstring of an action."""

    id: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    refusals: tuple[Refusal, ...]
    parameters: tuple[str, ...] = ()
    bodies: tuple[Body, ...] = ()  # of the request: the same in several forms
    needs_body: bool = True
    description: str = ""
    is_open: bool = False  # to strangers, in every mode


def json_body(kind: Kind, example: Any, *, many: bool = False) -> tuple[Body, ...]:
    """Return the bodies of an answer that is JSON."""
    return (Body(kind=kind, example=example, many=many),)
