"""Uploads a file with tuspy, going on where an earlier run of this program was ended.

    python tuspy_client.py ENDPOINT FILE STORAGE [--chunk-size N] [--checksum]

Prints the upload's address. STORAGE is the file in which tuspy keeps it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader.uploader import Uploader

GONE = (403, 404, 410)
TRIES = 20
PAUSE_S = 0.5


def begin(options: argparse.Namespace) -> Uploader:
    """Return the uploader, which has asked the server for the offset if it knows an address."""
    return TusClient(options.endpoint).uploader(
        options.file,
        chunk_size=options.chunk_size,
        metadata={"filename": Path(options.file).name},
        retries=TRIES,
        retry_delay=PAUSE_S,
        store_url=True,
        url_storage=FileStorage(options.storage),  # type: ignore[no-untyped-call]
        upload_checksum=options.checksum,
    )


def upload(options: argparse.Namespace) -> str:
    """Upload the file and return its upload's address."""
    storage = Path(options.storage)
    for _try in range(TRIES):
        try:
            uploader = begin(options)
            uploader.upload()
        except json.JSONDecodeError:
            storage.unlink()  # Its writer was killed in the middle.
        except TusCommunicationError as error:
            print(error, file=sys.stderr)
            if error.status_code in GONE:
                storage.unlink()
            time.sleep(PAUSE_S)
        else:
            return str(uploader.url)
    raise SystemExit(f"{TRIES} tries were not enough.")


def main() -> int:
    """Upload, print the address and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("file")
    parser.add_argument("storage")
    parser.add_argument("--chunk-size", type=int, default=5 << 20, help="bytes a request (5 MiB)")
    parser.add_argument("--checksum", action="store_true", help="send Upload-Checksum")
    print(upload(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
