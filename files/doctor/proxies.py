"""What to set in which proxy: hints for the checks that go through one."""

from __future__ import annotations

# What is wrong → proxy → its directive.
_HINTS = {
    "body size": {
        "nginx": "client_max_body_size 0;",
        "Caddy": "remove request_body { max_size … }",
        "Apache": "LimitRequestBody 0",
        "cloudflare": "its plans limit bodies (100 MB on the smaller ones)",
        "others": "Traefik: maxRequestBodyBytes of the buffering middleware; HAProxy: no limit",
    },
    "buffering": {
        "nginx": "proxy_request_buffering off; proxy_http_version 1.1;",
        "Caddy": "remove request_buffers from reverse_proxy",
        "Apache": "SetEnv proxy-sendchunked 1 (and no mod_security, mod_buffer)",
    },
    "methods": {
        "nginx": "remove limit_except, and dav_methods of this location",
        "Caddy": "remove matchers of method from its route",
        "Apache": "remove <Limit>, <LimitExcept> and AllowMethods",
    },
    "ranges": {
        "nginx": "remove proxy_set_header Range and slice; no proxy_cache for this location",
        "Caddy": "remove encode for /download/*",
        "Apache": "remove RequestHeader unset Range and MaxRanges none",
    },
    "compression": {
        "nginx": "gzip off; (and brotli off;) for /download/",
        "Caddy": "remove encode for /download/*",
        "Apache": "SetEnvIf Request_URI ^/download/ no-gzip no-brotli",
    },
    "headers": {
        "nginx": "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;",
        "Caddy": "it sets both by itself; look for header_up that removes them",
        "Apache": 'ProxyPreserveHost On, RequestHeader set X-Forwarded-Proto "https"',
    },
    "upstream": {
        "nginx": "look at proxy_pass: address and port of `manage.py serve`",
        "Caddy": "look at reverse_proxy: address and port of `manage.py serve`",
        "Apache": "look at ProxyPass: address and port of `manage.py serve`",
    },
    "time-outs": {
        "nginx": "proxy_read_timeout 300s; proxy_send_timeout 300s; client_body_timeout 300s;",
        "Caddy": "look at transport http { read_timeout … }",
        "Apache": "ProxyTimeout 300, RequestReadTimeout body=0",
    },
}


def hint(about: str, seen: str) -> str:
    """Return what to set against it: in the proxy that is named in `seen`, else in each."""
    directives = _HINTS[about]
    for proxy, directive in directives.items():
        if proxy.lower() in seen.lower():
            return f"In {proxy}: {directive}"
    return " · ".join(f"{proxy}: {directive}" for proxy, directive in directives.items())
