"""What is decided about a request before any view sees it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware

from files.exceptions import AuthenticationRequiredError, CrossSiteError, gettext_noop
from files.http.bodies import drain_after
from files.http.problems import problem_of, problem_response, wants_html
from files.http.requests import ActorRequest
from files.http.tus_headers import VERSION
from files.permissions import actor_for, require_read
from files.storage import release_connection

GetResponse = Callable[[HttpRequest], HttpResponseBase]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MAX_HEADER_BYTES = 32 << 10
UPLOADS_PATH = re.compile(r"/api/v1/uploads(/|\Z)")
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Bootstrap's style sheet carries its small drawings in data: addresses.
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


class ResumableUploadsMiddleware:
    """Does what tus wants of every request and answer, refusals of any kind included.

    The method that a header names counts before anything is decided by the method: another
    site's page shall not delete by a GET.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not UPLOADS_PATH.match(request.path_info):
            return self.get_response(request)
        if method := request.headers.get("x-http-method-override", "").strip():
            request.method = method.upper()
        response = self.get_response(request)
        response["Tus-Resumable"] = VERSION
        return response


class RequestGuardMiddleware:
    """Refuses malformed framing, names the request, and believes only known proxies.

    The server in front accepts a Content-Length beside a Transfer-Encoding, which
    two readers can take differently, and headers of any size.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request = cast(ActorRequest, request)
        request.request_id = uuid.uuid4().hex
        self._believe_proxy(request)
        response = self._refusal(request)
        if response is None:
            response = self.get_response(request)
            drain_after(request, response)
        response["X-Request-ID"] = request.request_id
        return response

    def _refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        meta = request.META
        size = sum(len(str(value)) for key, value in meta.items() if key.startswith("HTTP_"))
        if size > MAX_HEADER_BYTES:
            return problem_response(
                request,
                status=431,
                code="headers_too_large",
                detail=f"The headers have {size:,} characters; the limit is {MAX_HEADER_BYTES:,}.",
            )
        length = str(meta.get("CONTENT_LENGTH", ""))
        coding = meta.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
        if (
            (length and not re.fullmatch(r"[0-9]{1,18}", length))
            or (length and coding)
            or coding not in ("", "chunked")
        ):
            response = problem_response(
                request,
                status=400,
                code="bad_framing",
                detail="Content-Length and Transfer-Encoding don't say where the body ends.",
            )
            response["Connection"] = "close"
            return response
        return None

    def _believe_proxy(self, request: HttpRequest) -> None:
        """Apply X-Forwarded-Proto and -Host of a proxy in FILESERVER_TRUSTED_PROXIES."""
        meta = request.META
        scheme = meta.pop("HTTP_X_FORWARDED_PROTO", "").strip().lower()
        host = meta.pop("HTTP_X_FORWARDED_HOST", "").strip()
        if not _is_trusted(meta.get("REMOTE_ADDR", "")):
            return
        if scheme in ("http", "https"):
            meta["wsgi.url_scheme"] = scheme
        if host:
            meta["HTTP_HOST"] = host


def _is_trusted(address: str) -> bool:
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in network for network in settings.FILESERVER_TRUSTED_PROXIES)


class SecurityHeadersMiddleware:
    """Gives each answer the policy of our own pages unless it brought a stricter one.

    Cookies that were set over TLS stay on it: decided by request, since the same
    server may be reached without.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if response.status_code in (204, 304) and response.headers.get("Content-Length") == "0":
            # CommonMiddleware's; 204 may not have it, and with 304 it would say that the content
            # is empty (RFC 9110, 8.6).
            del response.headers["Content-Length"]
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class PageLocaleMiddleware(LocaleMiddleware):
    """Chooses the language; only pages say so, content and JSON have none."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add Content-Language and Vary to pages."""
        if response.headers.get("Content-Type", "").startswith("text/html"):
            return super().process_response(request, response)
        return response


class CrossSiteMiddleware:
    """Refuses what another site's page makes a browser send.

    Needed in open mode too: any web page can write to a server on loopback.
    Programs send neither header and pass; sessions are guarded by a token besides.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in SAFE_METHODS or self._is_own(request):
            return self.get_response(request)
        sentence = gettext_noop("This request comes from a page of another site.")
        raise PermissionDenied(CrossSiteError(sentence))

    def _is_own(self, request: HttpRequest) -> bool:
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            # "none": typed by the person, or a bookmark.
            return site in ("same-origin", "none")
        origin = request.headers.get("Origin")
        try:
            return origin is None or urlsplit(origin).netloc == request.get_host()
        except ValueError:
            return False


class ActorMiddleware:
    """Builds `request.actor`, and turns strangers away where they may not even look."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Refuse strangers at every view but those marked `open_to_all` and the admin's own.

        The former have no actor: who that is the database knows, which may be away.
        """
        if getattr(view, "open_to_all", False):
            return None
        request = cast(ActorRequest, request)
        request.actor = actor_for(request.user, settings.FILESERVER_ACCESS)
        # The view may read a body first, which takes as long as the client likes.
        release_connection()
        match = request.resolver_match
        if match and match.app_name == "admin":
            return None
        try:
            require_read(request.actor)
        except AuthenticationRequiredError as error:
            if wants_html(request):
                return redirect_to_login(request.get_full_path())
            return problem_of(request, error)
        return None


class LendConnectionMiddleware:
    """Lends the thread's database connection to others while a streamed answer is sent.

    A client takes as long as it likes for each block, and there are more threads than
    connections.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = _lending(iter(response))
        return response


def _lending(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        release_connection()
        yield block
