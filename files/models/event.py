from __future__ import annotations

from django.db import models
from django.utils import timezone

from files.models.fields import BytewiseCharField


class Event(models.Model):
    """Something that happened, written in the transaction that made it happen.

    The outbox: jobs, the audit log and counters are fed from these rows.
    """

    # A noun and a past participle, "file.uploaded".
    name = BytewiseCharField(max_length=64, ascii_only=True)
    actor = models.CharField(max_length=255)
    user_id = models.BigIntegerField(null=True, blank=True)
    # Ids that outlive what they name; null where an event has none.
    space_id = models.BigIntegerField(null=True, blank=True)
    object_type = BytewiseCharField(max_length=32, ascii_only=True)
    object_id = models.BigIntegerField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "event"
        # An object's history.
        indexes = [models.Index(fields=["object_type", "object_id", "id"], name="event_of_object")]

    def __str__(self) -> str:
        return f"{self.name} {self.object_type} {self.object_id} by {self.actor}"
