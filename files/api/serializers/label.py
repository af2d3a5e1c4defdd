from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from files.api.serializers.text import TextField
from files.exceptions import gettext_noop
from files.models import Label

COLOR = RegexValidator(
    r"\A#[0-9a-fA-F]{6}\Z", gettext_noop("A color is “#” and six hexadecimal digits.")
)


class LabelSerializer(serializers.ModelSerializer[Label]):
    """A word to put on files."""

    name = TextField(help_text="At most 100 characters; once in a space.")
    color = TextField(required=False, help_text="`#rrggbb`.", validators=[COLOR])

    class Meta:
        model = Label
        fields = ("id", "name", "color")


class LabelListSerializer(serializers.Serializer[Any]):
    """All labels."""

    results = LabelSerializer(many=True)
