"""The probes, which are no views of REST framework and have no action to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from files.api.schema import examples, refusals
from files.api.schema.operation import Answer, Operation, json_body
from files.api.schema.parts import PROBES

WORKING: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "ok"}},
}

PROBE_OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/healthz"): Operation(
        id="healthz",
        tag=PROBES,
        summary="Is the process there?",
        description="Tell that the process answers; no query.",
        answers={200: Answer(description="It does.", bodies=json_body(WORKING, examples.WORKING))},
        refusals=refusals.FRAMING,
        is_open=True,
    ),
    ("GET", "/readyz"): Operation(
        id="readyz",
        tag=PROBES,
        summary="Can it work?",
        description="Tell whether the database answers; no details to strangers.",
        answers={200: Answer(description="It does.", bodies=json_body(WORKING, examples.WORKING))},
        refusals=refusals.READINESS,
        is_open=True,
    ),
}
