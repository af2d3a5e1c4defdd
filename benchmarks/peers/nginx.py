"""nginx: static files, WebDAV PUT, folder listing. What a file server can reach at all."""

from __future__ import annotations

import shutil
import subprocess

from benchmarks.peers.peer import Frame, Peer, fill_folder, put_frame

# nginx's defaults but for what it must be told. `tcp_nopush`, which Debian switches on, makes small
# ranges over loopback wait 40 ms each for an acknowledgment.
CONFIGURATION = """
daemon off;
{user}
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    default_type application/octet-stream;
    client_max_body_size 0;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/data;
        location / {{
            dav_methods PUT DELETE;
            autoindex on;
            autoindex_format json;
        }}
    }}
}}
"""


class Nginx(Peer):
    """Files in a folder and nothing else."""

    name = "nginx"
    title = "nginx"
    does = "writes a file and moves it to its place; no hash, no database; no fsync"
    most_files = 100_000

    @classmethod
    def version(cls) -> str:
        program = cls.program()
        told = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stderr
        if "http_dav_module" not in told:
            raise LookupError("nginx was built without its WebDAV module")
        return told.splitlines()[0].removeprefix("nginx version: ")

    @staticmethod
    def program() -> str:
        """Return the path of nginx; Debian keeps it where only root looks."""
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if found is None:
            raise LookupError("nginx is not installed (on Debian: apt-get install nginx-light)")
        return found

    def command(self) -> list[str]:
        configuration = self.folder / "nginx.conf"
        # Started by root it would give its workers to nobody, who may not write here.
        user = "user root;" if self.folder.stat().st_uid == 0 else ""
        text = CONFIGURATION.format(folder=self.folder, port=self.port, user=user)
        configuration.write_text(text, encoding="utf-8")
        log = str(self.folder / "error.log")
        return [self.program(), "-e", log, "-p", str(self.folder), "-c", str(configuration)]

    def frame(self, name: str, size: int) -> Frame:
        return put_frame(self.port, f"/{name}", size)

    def path_of(self, name: str, answer: str) -> str:
        return f"/{name}"

    def fill(self, count: int) -> None:
        fill_folder(self.data, count)
