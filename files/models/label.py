from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from files.actors import Actor
from files.models.fields import BytewiseCharField
from files.models.space import Space

DEFAULT_COLOR = "#6c757d"


class LabelQuerySet(models.QuerySet["Label"]):
    def visible_to(self, actor: Actor) -> LabelQuerySet:
        """Return the labels of the spaces that `actor` may see; the only gate for reads."""
        return self.filter(space_id__in=actor.spaces)

    def in_space(self, space_id: int) -> LabelQuerySet:
        """Return the labels of one space."""
        return self.filter(space_id=space_id)


class Label(models.Model):
    """A word that people put on files, in a color of its own."""

    space = models.ForeignKey(
        Space, on_delete=models.CASCADE, related_name="labels", db_index=False
    )
    name = BytewiseCharField(max_length=100)
    # "#rrggbb", in lower case.
    color = BytewiseCharField(
        max_length=7,
        ascii_only=True,
        default=DEFAULT_COLOR,
        validators=[RegexValidator(r"\A#[0-9a-f]{6}\Z")],
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LabelQuerySet.as_manager()

    class Meta:
        db_table = "label"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["space", "name"], name="label_space_name"),
        ]

    def __str__(self) -> str:
        return self.name
