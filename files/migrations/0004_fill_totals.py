from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate


def fill_days_and_homes(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Count what is stored already by day and by home; by group it is counted."""
    total = apps.get_model("files", "Total")
    totals = total.objects.using(schema_editor.connection.alias)
    files = apps.get_model("files", "File").everything.using(schema_editor.connection.alias)
    counted = {"files": Count("pk"), "bytes": Sum("size")}
    days = (
        files.filter(deleted_at=None)
        .order_by()
        .values("space_id", at=TruncDate("upload_date"))
        .annotate(**counted)
    )
    totals.bulk_create(
        total(space_id=row["space_id"], day=row["at"], count=row["files"], bytes=row["bytes"])
        for row in days
    )
    spaces = files.order_by().values("space_id").annotate(**counted)
    totals.bulk_create(
        total(space_id=row["space_id"], home="database", count=row["files"], bytes=row["bytes"])
        for row in spaces
    )


def forget_days_and_homes(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Leave what the older table knows: one row for each group."""
    total = apps.get_model("files", "Total").objects.using(schema_editor.connection.alias)
    groups = total.exclude(suffix=None).order_by().values("space_id", "suffix")
    kept = list(groups.annotate(files=Sum("count"), size=Sum("bytes")))
    total.all().delete()
    total.bulk_create(
        apps.get_model("files", "Total")(
            space_id=row["space_id"], suffix=row["suffix"], count=row["files"], bytes=row["size"]
        )
        for row in kept
    )


class Migration(migrations.Migration):
    dependencies = [("files", "0003_totals_by_day_and_home")]

    operations = [migrations.RunPython(fill_days_and_homes, forget_days_and_homes)]
