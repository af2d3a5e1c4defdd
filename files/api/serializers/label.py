from __future__ import annotations

from rest_framework import serializers

from files.models import Label


class LabelSerializer(serializers.ModelSerializer[Label]):
    """A word to put on files."""

    name = serializers.CharField(
        trim_whitespace=False, help_text="At most 100 characters; once in a space."
    )
    color = serializers.CharField(required=False, help_text="`#rrggbb`.")

    class Meta:
        model = Label
        fields = ("id", "name", "color")
