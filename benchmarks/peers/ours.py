"""Our server, at either durability."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import ClassVar

from benchmarks.peers.peer import Frame, Listing, Peer, put_frame
from files.tests.running_server import MANAGE, environment_of, prepare

SEED_TIMEOUT_S = 1200


class Ours(Peer):
    """As `make run` starts it, on SQLite."""

    name = "ours"
    title = "ours"
    does = (
        "finds the type, hashes (SHA-256), refuses duplicates, keeps totals; "
        "the bytes are on the disk when it says yes"
    )
    syncs = True
    list_path = "/files"
    durability: ClassVar[str] = "full"

    @classmethod
    def version(cls) -> str:
        return f"this checkout, FILESERVER_DURABILITY={cls.durability}"

    def command(self) -> list[str]:
        return [*MANAGE, "serve", "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        return environment_of(self.data, FILESERVER_DURABILITY=self.durability, DATABASE_URL="")

    def prepare(self) -> None:
        template = self.folder / "template"
        if not template.exists():
            begun = self.folder / "template-begun"
            shutil.rmtree(begun, ignore_errors=True)
            prepare(begun, DATABASE_URL="")
            begun.rename(template)
        shutil.copytree(template, self.data, dirs_exist_ok=True)

    def frame(self, name: str, size: int) -> Frame:
        return put_frame(self.port, f"/upload/{name}", size)

    def path_of(self, name: str, answer: str) -> str:
        return f"/download/{json.loads(answer)['id']}"

    def listings(self) -> list[Listing]:
        return [
            *super().listings(),
            Listing("all files of a type", "/files?suffix=pdf", is_whole=True),
            Listing("first page, HTML", "/"),
            Listing("first page of a type, HTML", "/?suffix=pdf"),
            Listing("first 50, REST", "/api/v1/files/"),
            Listing("name contains, REST", "/api/v1/files/?q=report"),
            Listing("name contains, nothing found", "/api/v1/files/?q=zzqqzz"),
            Listing("group totals, REST", "/api/v1/types/"),
        ]

    def fill(self, count: int) -> None:
        if count in self.libraries:
            self.clear()
            shutil.copytree(self.libraries[count], self.data)
            self.manage("migrate")
        else:
            self.manage("seed_demo", "--files", str(count))

    def manage(self, *arguments: str) -> None:
        """Run a command on its data."""
        subprocess.run(
            [*MANAGE, *arguments],
            env=self.environment(),
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=SEED_TIMEOUT_S,
        )


class OursNormal(Ours):
    """Acknowledges before the disk has the bytes, as the peers do."""

    name = "ours-normal"
    title = "ours, durability normal"
    does = "the same, but a power cut may lose the last moments (never half a file)"
    syncs = False
    is_variant = True
    durability = "normal"
