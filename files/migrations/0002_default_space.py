from __future__ import annotations

from django.core.management.color import no_style
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Fixed: changing files.actors.DEFAULT_SPACE_ID later must not change the past.
DEFAULT_SPACE_ID = 1


def make_default_space(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the library of the plain routes, which every file needs a space of."""
    space = apps.get_model("files", "Space")
    spaces = space.objects.using(schema_editor.connection.alias)
    spaces.get_or_create(pk=DEFAULT_SPACE_ID, defaults={"name": "Files"})
    # PostgreSQL's sequence does not see an id that was given.
    for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [space]):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]

    operations = [migrations.RunPython(make_default_space, migrations.RunPython.noop)]
