import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import files.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0004_fill_totals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", files.models.fields.BytewiseCharField(max_length=100)),
                (
                    "color",
                    files.models.fields.BytewiseCharField(
                        ascii_only=True,
                        default="#6c757d",
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("\\A#[0-9a-f]{6}\\Z")],
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "space",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="labels",
                        to="files.space",
                    ),
                ),
            ],
            options={
                "db_table": "label",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="file",
            name="labels",
            field=models.ManyToManyField(
                blank=True, db_table="file_labels", related_name="files", to="files.label"
            ),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(fields=("space", "name"), name="label_space_name"),
        ),
    ]
