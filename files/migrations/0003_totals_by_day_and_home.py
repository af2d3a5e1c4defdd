from __future__ import annotations

from django.db import migrations, models

import files.models.fields


class Migration(migrations.Migration):
    dependencies = [("files", "0002_default_space")]

    operations = [
        migrations.RenameModel("SuffixTotal", "Total"),
        migrations.AlterModelTable("total", "total"),
        migrations.RenameIndex("total", new_name="total_sums", old_name="suffix_total_sums"),
        migrations.AlterField(
            "total",
            "suffix",
            files.models.fields.BytewiseCharField(  # type: ignore[misc]  # as in the model
                blank=True, max_length=32, null=True
            ),
        ),
        migrations.AddField("total", "day", models.DateField(blank=True, null=True)),
        migrations.AddField(
            "total",
            "home",
            files.models.fields.BytewiseCharField(  # type: ignore[misc]  # as in the model
                ascii_only=True,
                blank=True,
                choices=[("database", "Database")],
                max_length=16,
                null=True,
            ),
        ),
        migrations.AddField("total", "duplicates", models.BigIntegerField(default=0)),
    ]
