"""copyparty, as its documentation starts it for a folder that anyone may write to."""

from __future__ import annotations

from benchmarks.peers.peer import (
    BENCH_PYTHON,
    Frame,
    Peer,
    fill_folder,
    installed_version,
    put_frame,
)


class Copyparty(Peer):
    """Files in a folder, no database; plain PUT."""

    name = "copyparty"
    title = "copyparty"
    does = "hashes (SHA-512) while it receives; no database, duplicates are kept; no fsync"
    most_files = 100_000
    list_path = "/?ls"

    @classmethod
    def version(cls) -> str:
        return f"copyparty {installed_version('copyparty')}"

    def command(self) -> list[str]:
        command = [str(BENCH_PYTHON), "-m", "copyparty", "-q", "-i", "127.0.0.1"]
        return [*command, "-p", str(self.port), "-v", f"{self.data}::A"]

    def environment(self) -> dict[str, str]:
        # Its configuration and caches stay in our folder, not in the user's.
        return super().environment() | {"XDG_CONFIG_HOME": str(self.folder)}

    def frame(self, name: str, size: int) -> Frame:
        return put_frame(self.port, f"/{name}", size)

    def path_of(self, name: str, answer: str) -> str:
        return f"/{name}"

    def fill(self, count: int) -> None:
        fill_folder(self.data, count)
