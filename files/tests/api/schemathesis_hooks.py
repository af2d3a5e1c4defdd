"""What schemathesis is told that a table cannot say."""

from __future__ import annotations

import schemathesis

from files.http.tus_headers import PIECE_TYPE

# Any bytes are a piece of an upload.
schemathesis.serializer.alias(PIECE_TYPE, "application/octet-stream")
