from __future__ import annotations

from typing import Any

from rest_framework import serializers


class AmountSerializer(serializers.Serializer[Any]):
    """A number of files and their bytes."""

    count = serializers.IntegerField()
    bytes = serializers.IntegerField()


class TypeSerializer(AmountSerializer):
    """The files of one suffix."""

    suffix = serializers.CharField(help_text="Lower case, no dot; empty for files without one.")


class TypeListSerializer(serializers.Serializer[Any]):
    """All groups."""

    results = TypeSerializer(many=True)


class DaySerializer(AmountSerializer):
    """How much the library grew on a day, net: negative where more was deleted."""

    day = serializers.DateField(help_text="UTC")
    duplicates = serializers.IntegerField(help_text="Uploads refused as duplicates.")


class HomeSerializer(AmountSerializer):
    """What is kept in one home, the trash's files included."""

    home = serializers.CharField(help_text="`database`")


class StatsSerializer(serializers.Serializer[Any]):
    """The library as a whole."""

    files = AmountSerializer(help_text="Without the trash.")
    trash = AmountSerializer()
    duplicates_refused = serializers.IntegerField()
    types = TypeSerializer(many=True)
    days = DaySerializer(many=True, help_text="Without gaps, up to today.")
    homes = HomeSerializer(many=True)
