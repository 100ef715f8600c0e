"""Who may see the page of live streams, and what browsers let other sites do with it."""

from __future__ import annotations

import ipaddress
import secrets

from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_COOKIE = "emotion-timelines-token-{port}"
"""Browsers send cookies to every port of a host, and several programs may have a page there."""

HEADERS = {
    # Scripts, styles and pictures of the page's own, or made by its scripts; no frame around it.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",  # The address may hold the token.
}
"""Of every answer that does not have its own."""


class Guard:
    """The application, for viewers who may see it; its answers forbid other sites to use them.

    Args:
        app: what is guarded.
        token: required of viewers, as ``?token=``, cookie or bearer token. None: of this machine
            only; then the host asked for must be this machine, which prevents DNS rebinding: a web
            site whose name resolves to it.
        host: where it is served.
    """

    def __init__(self, app: ASGIApp, token: str | None, host: str) -> None:
        hosts = ["localhost", "127.0.0.1", "[::1]", host]
        self._app = app if token else TrustedHostMiddleware(app, hosts, www_redirect=False)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        cookie_name = TOKEN_COOKIE.format(port=scope["server"][1])
        app, cookie = self._app, Response()
        if self._token is not None:
            if self._is_token(request.query_params.get("token")):
                cookie.set_cookie(cookie_name, self._token, httponly=True, samesite="strict")
            elif not (
                self._is_token(request.cookies.get(cookie_name))
                or self._is_token(request.headers.get("authorization", "").removeprefix("Bearer "))
            ):
                app = PlainTextResponse("Open the address that the program printed.", 401)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                for value in cookie.headers.getlist("set-cookie"):
                    headers.append("set-cookie", value)
            await send(message)

        await app(scope, receive, send_guarded)

    def _is_token(self, given: str | None) -> bool:
        """In a time that does not tell how much of it is right."""
        assert self._token
        return secrets.compare_digest((given or "").encode(), self._token.encode())


def is_this_machine(host: str) -> bool:
    """Whether only this machine itself can be reached by a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
