"""sentences.md lists what the protocol asks for; each of its sentences has a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = (*HERE.glob("test_*.py"), HERE.parent / "test_v1_uploads.py")
# As many as the protocol's text has; counted in it, not here.
SENTENCES = 105
PROOF = re.compile(r"- `(\w+)\.(\w+)`")


def sentences() -> Iterator[tuple[str, list[str]]]:
    """Yield each sentence with the lines that stand below it."""
    text = (HERE / "sentences.md").read_text(encoding="utf-8")
    for paragraph in text.split("\n> ")[1:]:
        sentence, *below = [line for line in paragraph.splitlines() if line]
        yield sentence, [line for line in below if not line.startswith("#")]


def there() -> set[tuple[str, str]]:
    """Return module and name of every test there is."""
    return {
        (path.stem, node.name)
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


LISTED = list(sentences())


def test_no_sentence_is_missing():
    assert len(LISTED) == SENTENCES
    assert all(re.search(r"MUST|SHOULD|SHALL|should", sentence) for sentence, _ in LISTED)


@pytest.mark.parametrize(("sentence", "below"), LISTED)
def test_a_sentence_is_proven_or_asks_nothing_of_this_server(sentence, below):
    if below == ["client"]:
        assert "Client" in sentence
        return
    if below[0].startswith("nothing: "):
        assert len(below) == 1
        return
    proofs = [PROOF.fullmatch(line) for line in below]
    assert proofs and all(proofs)
    assert {proof.groups() for proof in proofs} <= there()
