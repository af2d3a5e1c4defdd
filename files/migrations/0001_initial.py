import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import files.models.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Space",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "db_table": "space",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Content",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("size", models.BigIntegerField(default=0)),
                (
                    "home",
                    files.models.fields.BytewiseCharField(
                        ascii_only=True,
                        choices=[("database", "Database")],
                        default="database",
                        max_length=16,
                    ),
                ),
                (
                    "key",
                    files.models.fields.BytewiseCharField(
                        ascii_only=True, blank=True, default="", max_length=255
                    ),
                ),
                (
                    "state",
                    files.models.fields.BytewiseCharField(
                        ascii_only=True,
                        choices=[
                            ("receiving", "Receiving"),
                            ("stored", "Stored"),
                            ("released", "Released"),
                        ],
                        default="receiving",
                        max_length=16,
                    ),
                ),
                ("keep_until", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "db_table": "content",
                "indexes": [models.Index(fields=["state", "keep_until"], name="content_abandoned")],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", files.models.fields.BytewiseCharField(ascii_only=True, max_length=64)),
                ("actor", models.CharField(max_length=255)),
                ("user_id", models.BigIntegerField(blank=True, null=True)),
                ("space_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "object_type",
                    files.models.fields.BytewiseCharField(ascii_only=True, max_length=32),
                ),
                ("object_id", models.BigIntegerField(blank=True, null=True)),
                ("details", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "db_table": "event",
                "indexes": [
                    models.Index(fields=["object_type", "object_id", "id"], name="event_of_object")
                ],
            },
        ),
        migrations.CreateModel(
            name="Chunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("offset", models.BigIntegerField()),
                ("size", models.IntegerField()),
                ("checksum", models.BigIntegerField()),
                (
                    "content",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="files.content",
                    ),
                ),
                # Last, so that reading the others need not step over it.
                ("data", models.BinaryField()),
            ],
            options={
                "db_table": "chunk",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("content", "offset"), name="chunk_content_offset"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", files.models.fields.BytewiseCharField(max_length=255)),
                (
                    "suffix",
                    files.models.fields.BytewiseCharField(blank=True, default="", max_length=32),
                ),
                (
                    "folder",
                    files.models.fields.BytewiseCharField(blank=True, default="", max_length=500),
                ),
                ("size", models.BigIntegerField()),
                ("upload_date", models.DateTimeField(default=django.utils.timezone.now)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mime_type",
                    files.models.fields.BytewiseCharField(ascii_only=True, max_length=127),
                ),
                ("hash", files.models.fields.BytewiseCharField(ascii_only=True, max_length=64)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "content",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="files.content",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="files",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="files.space",
                    ),
                ),
                # Last, so that reading the others need not step over it.
                ("data", models.BinaryField(blank=True, null=True)),
            ],
            options={
                "db_table": "file",
                "ordering": ["-upload_date", "-id"],
                "base_manager_name": "everything",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(
                        fields=["space", "deleted_at", "upload_date", "id", "size", "name"],
                        name="file_by_upload_date",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "name", "upload_date", "id"],
                        name="file_by_name",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "size", "upload_date", "id"],
                        name="file_by_size",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "suffix", "upload_date", "id"],
                        name="file_by_suffix",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "suffix", "name", "upload_date", "id"],
                        name="file_by_suffix_name",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "suffix", "size", "upload_date", "id"],
                        name="file_by_suffix_size",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "folder", "upload_date", "id"],
                        name="file_by_folder",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "mime_type", "upload_date", "id"],
                        name="file_by_mime_type",
                    ),
                    models.Index(
                        fields=["space", "deleted_at", "owner", "upload_date", "id"],
                        name="file_by_owner",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("space", "hash"), name="file_space_hash"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("content__isnull", False), ("data", None)),
                            models.Q(("content", None), ("data__isnull", False)),
                            _connector="OR",
                        ),
                        name="file_bytes_in_one_place",
                    ),
                ],
            },
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="SuffixTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("suffix", files.models.fields.BytewiseCharField(blank=True, max_length=32)),
                ("count", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                (
                    "space",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="files.space",
                    ),
                ),
            ],
            options={
                "db_table": "suffix_total",
                "indexes": [
                    models.Index(
                        fields=["space", "suffix", "count", "bytes"], name="suffix_total_sums"
                    )
                ],
            },
        ),
    ]
