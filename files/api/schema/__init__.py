"""The OpenAPI document: what no serializer and no docstring says is in tables here.

Entry points: FilesSchema and FilesSchemaGenerator, named in the settings. An operation
without an entry in `operations` is a warning, which `make check` fails on.
"""

from files.api.schema.generator import FilesSchema, FilesSchemaGenerator

__all__ = ["FilesSchema", "FilesSchemaGenerator"]
