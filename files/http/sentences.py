"""What a refusal says, in the language of the page that shows it."""

from __future__ import annotations

from django.utils.translation import gettext

from files.exceptions import FilesError, InvalidFieldsError, Phrase


def sentence_of(error: FilesError | Phrase, *, names_fields: bool = True) -> str:
    """Return the sentence; `names_fields` puts each field's name before what is wrong with it."""
    if isinstance(error, InvalidFieldsError):
        return " ".join(
            f"{name}: {sentence_of(text)}" if names_fields else sentence_of(text)
            for name, text in error.errors.items()
        )
    params = {
        name: sentence_of(value) if isinstance(value, Phrase) else value
        for name, value in error.params.items()
    }
    return gettext(error.template) % params
