from __future__ import annotations

from django.db import models
from django.utils import timezone


class Space(models.Model):
    """A library: hashes are unique, and rights are given, within one."""

    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "space"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
