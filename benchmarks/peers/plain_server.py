"""A file server as it is usually first written: Flask, SQLAlchemy, the bytes in a column.

    python plain_server.py DATABASE PORT

Written in good faith: lists don't load the bytes, duplicates are found by a unique hash, SQLite
and the pool of connections have their defaults, waitress has a thread for each of eight clients.
Runs in the benchmark's environment; the file server itself never imports any of this.
"""

from __future__ import annotations

import hashlib
import io
import sys
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, jsonify, request, send_file
from sqlalchemy import DateTime, LargeBinary, String, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from waitress import serve

THREADS = 8
# waitress refuses 1 GiB by default.
MAX_BODY_BYTES = 4 << 30


class Base(DeclarativeBase):
    """What SQLAlchemy asks for."""


class File(Base):
    """A file and its bytes."""

    __tablename__ = "file"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    upload_date: Mapped[datetime] = mapped_column(DateTime)
    mime_type: Mapped[str] = mapped_column(String(127))
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "size": self.size,
            "upload_date": self.upload_date.isoformat(),
            "mime_type": self.mime_type,
            "hash": self.hash,
        }


def create_app(database: str) -> Flask:
    """Return the application, its table made."""
    app = Flask(__name__)
    engine = create_engine(f"sqlite:///{database}")
    Base.metadata.create_all(engine)
    sessions = sessionmaker(engine)

    @app.post("/upload")
    def upload() -> Response:
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            abort(400)
        data = upload.read()
        digest = hashlib.sha256(data).hexdigest()
        with sessions() as session:
            if session.scalar(select(File.id).where(File.hash == digest)) is not None:
                abort(409)
            file = File(
                name=upload.filename,
                size=len(data),
                upload_date=datetime.now(UTC),
                mime_type=upload.mimetype,
                data=data,
                hash=digest,
            )
            session.add(file)
            try:
                session.commit()
            except IntegrityError:
                abort(409)
            return jsonify(file.as_dict())

    @app.get("/files")
    def list_files() -> Response:
        with sessions() as session:
            files = session.scalars(select(File).order_by(File.upload_date.desc()))
            return jsonify([file.as_dict() for file in files])

    @app.get("/download/<int:file_id>")
    def download(file_id: int) -> Response:
        with sessions() as session:
            file = find(session, file_id)
            return send_file(
                io.BytesIO(file.data),
                mimetype=file.mime_type,
                as_attachment=True,
                download_name=file.name,
            )

    @app.delete("/delete/<int:file_id>")
    def delete(file_id: int) -> tuple[str, int]:
        with sessions() as session:
            session.delete(find(session, file_id))
            session.commit()
            return "", 204

    return app


def find(session: Session, file_id: int) -> File:
    """Return the file, or answer 404."""
    file = session.get(File, file_id)
    if file is None:
        abort(404)
    return file


if __name__ == "__main__":
    serve(
        create_app(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        threads=THREADS,
        max_request_body_size=MAX_BODY_BYTES,
    )
