"""What must hold of a server's data whatever happened to it, looked up beside the server.

Entry points: ownership_problems, at any moment; database_problems and download_problems,
once `age` and a sweep have removed what may go. All return sentences, none when all is well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from files.tests.live_databases import kind_of
from files.tests.running_server import RunningServer, ask

LONG_AGO = "2000-01-01 00:00:00"

# What is found by each is wrong.
OWNERSHIP = {
    "file owns content that may be swept": """
        SELECT file.id, content.id, content.state, content.keep_until FROM file
        LEFT JOIN content ON content.id = file.content_id WHERE file.content_id IS NOT NULL
        AND (COALESCE(content.state, '') != 'stored' OR content.keep_until IS NOT NULL)""",
    "stored content has not one owner": """
        SELECT content.id, COUNT(file.id) FROM content
        LEFT JOIN file ON file.content_id = content.id
        WHERE content.state = 'stored' GROUP BY content.id HAVING COUNT(file.id) != 1""",
    "upload has content that is a file's, given up, or another upload's": """
        SELECT upload.content_id, MIN(upload.state), MIN(content.state) FROM upload
        LEFT JOIN content ON content.id = upload.content_id WHERE upload.content_id IS NOT NULL
        GROUP BY upload.content_id HAVING COUNT(upload.id) != 1
        OR MIN(COALESCE(content.state, '')) != 'receiving' OR MIN(upload.state) != 'receiving'""",
}
LEFT_OVER = {
    "content that nobody owns": """
        SELECT id, state FROM content
        WHERE id NOT IN (SELECT content_id FROM file WHERE content_id IS NOT NULL)""",
    "chunk of no content": """
        SELECT id, content_id FROM chunk WHERE content_id NOT IN (SELECT id FROM content)""",
    "file of another size than its chunks": """
        SELECT id, size FROM file WHERE content_id IS NOT NULL AND size != COALESCE(
        (SELECT SUM(chunk.size) FROM chunk WHERE chunk.content_id = file.content_id), -1)""",
}
TABLES = ("file", "content", "chunk", "total", "upload")
# What a database says of its own tables, and how it is put when all is well.
DAMAGE: dict[str, dict[str, set[tuple[Any, ...]]]] = {
    "sqlite": {"PRAGMA integrity_check": {("ok",)}, "PRAGMA foreign_key_check": set()},
    "mysql": {f"CHECK TABLE {table}": {("OK",)} for table in TABLES},
    "postgres": {},
}
# Sums of entries, and what they have to be.
TOTALS = [
    (
        "by suffix",
        """SELECT suffix, SUM(count), SUM(bytes) FROM total
        WHERE suffix IS NOT NULL GROUP BY suffix""",
        "SELECT suffix, COUNT(*), SUM(size) FROM file WHERE deleted_at IS NULL GROUP BY suffix",
    ),
    (
        "by day",
        "SELECT 'all', SUM(count), SUM(bytes) FROM total WHERE day IS NOT NULL",
        "SELECT 'all', COUNT(*), COALESCE(SUM(size), 0) FROM file WHERE deleted_at IS NULL",
    ),
    (
        "by home",
        "SELECT home, SUM(count), SUM(bytes) FROM total WHERE home IS NOT NULL GROUP BY home",
        """SELECT COALESCE(content.home, 'database') AS home, COUNT(*), SUM(file.size) FROM file
        LEFT JOIN content ON content.id = file.content_id GROUP BY 1""",
    ),
]


def age(server: RunningServer) -> None:
    """Let `sweep` act as if weeks had passed: nothing may be being received or read now."""
    server.query("UPDATE upload SET expires_at = %s", LONG_AGO)
    server.query("UPDATE content SET keep_until = %s WHERE keep_until IS NOT NULL", LONG_AGO)


def ownership_problems(server: RunningServer) -> list[str]:
    """Return what `sweep` would take from a file, or leave for ever."""
    return _found(server, OWNERSHIP)


def database_problems(server: RunningServer) -> list[str]:
    """Return the orphans, wrong totals and damage of an idle server that was swept."""
    query, problems = server.query, _found(server, LEFT_OVER)
    for what, totals, files in TOTALS:
        kept = {row for row in query(totals) if row[1] or row[2]}
        if kept != (counted := {row for row in query(files) if row[1] or row[2]}):
            problems.append(f"totals {what} say {kept}, the files are {counted}")
    for check, well in DAMAGE[kind_of(server.database_url)].items():
        if (damage := {row[-1:] for row in query(check)}) != well:
            problems.append(f"{check}: {list(damage)[:3]}")
    return problems


def download_problems(server: RunningServer, files: Iterable[dict[str, Any]]) -> list[str]:
    """Return which of `files`, as the list or an upload answered them, don't come back whole."""
    problems = []
    with server.connect() as connection:
        for file in files:
            answer = ask(connection, "GET", f"/download/{file['id']}")
            got = (answer.status, len(answer.body), hashlib.sha256(answer.body).hexdigest())
            if got != (200, file["size"], file["hash"]):
                problems.append(f"{file} came as status, bytes, hash {got}")
    return problems


def _found(server: RunningServer, queries: dict[str, str]) -> list[str]:
    found = {what: server.query(query) for what, query in queries.items()}
    return [f"{what}: {len(rows)}, as {rows[:3]}" for what, rows in found.items() if rows]
