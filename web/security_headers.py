"""The headers that every response has, so that no browser makes more of it than it is (OWASP's list).

TLS ends in front of web, so Strict-Transport-Security is left to what ends it.
"""

_ALWAYS = (
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"X-Permitted-Cross-Domain-Policies: none\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Permissions-Policy: camera=(), display-capture=(), geolocation=(), microphone=()\r\n"
    b"Cross-Origin-Embedder-Policy: require-corp\r\n"
    b"Cross-Origin-Opener-Policy: same-origin\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
)
_UNLESS_GIVEN = {
    b"\r\nCache-Control: ": b"Cache-Control: no-store\r\n",
    b"\r\nContent-Security-Policy: ": (
        b"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'\r\n"
    ),
}


def with_security_headers(head: bytes) -> bytes:
    """The head of a response, up to its last header, with those that it lacks."""
    for name, line in _UNLESS_GIVEN.items():
        if name not in head:
            head += line
    return head + _ALWAYS
