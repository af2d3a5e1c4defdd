"""Uploads a file with Uppy in Chromium, going on where a page or an earlier run was killed.

    python uppy_client.py ENDPOINT FILE PROFILE SCRIPT [--chunk-size N]

Prints the upload's address, which Uppy keeps in the local storage of PROFILE, a folder. SCRIPT
is uppy_page.js with its packages. When the page's process is killed, a new page goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import BrowserContext, Error, Page, Route, sync_playwright

TRIES = 20
# A page that was killed while it opened may never answer.
STEP_MS, UPLOAD_MS = 20_000.0, 600_000.0
PAGE = "<!doctype html><meta charset=utf-8><title>Uppy</title><input type=file><script>{}</script>"
BEGIN = """([input, endpoint, options]) => {
  window.uploadWithUppy(input, endpoint, options).then(
    (url) => { window.outcome = { url }; },
    (error) => { window.outcome = { error: String(error) }; },
  );
}"""
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def open_page(context: BrowserContext, options: argparse.Namespace) -> Page:
    """Return a page of the server's own origin, as a page of another may not upload."""
    script = Path(options.script).read_text(encoding="utf-8").replace("</script", "<\\/script")
    body = PAGE.replace("{}", script)

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=body)

    page = context.new_page()
    page.route("**/uppy", answer)
    page.goto(urljoin(options.endpoint, "/uppy"))
    return page


def upload(context: BrowserContext, options: argparse.Namespace) -> str:
    """Upload the file and return its upload's address, whatever pages are killed meanwhile."""
    tus = {"chunkSize": options.chunk_size} if options.chunk_size else {}
    for _try in range(TRIES):
        try:
            page = open_page(context, options)
            page.set_input_files("input", options.file)
            chosen = page.query_selector("input")
            page.evaluate(BEGIN, [chosen, urlsplit(options.endpoint).path, tus])
            page.wait_for_function("window.outcome", timeout=UPLOAD_MS)
            outcome = page.evaluate("window.outcome")
            if "url" in outcome:
                return str(outcome["url"])
            print(outcome, file=sys.stderr)
        except Error as error:
            print(json.dumps(error.message), file=sys.stderr)
        for old in context.pages:
            with contextlib.suppress(Error):
                old.close()
    raise SystemExit(f"{TRIES} tries were not enough.")


def main() -> int:
    """Upload, print the address and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("endpoint")
    parser.add_argument("file")
    parser.add_argument("profile")
    parser.add_argument("script")
    parser.add_argument("--chunk-size", type=int, help="bytes a request (all)")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        # A killed browser would be found to run still.
        Path(options.profile, "SingletonLock").unlink(missing_ok=True)
        context = playwright.chromium.launch_persistent_context(
            options.profile, executable_path=shutil.which("chromium"), args=QUIET.split()
        )
        context.set_default_timeout(STEP_MS)
        print(upload(context, options))
        context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
