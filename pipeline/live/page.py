"""Serve the page of live streams: pictures, charts and figures, for people and for programs.

Everything is made on request, so a page that nobody watches costs nothing.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import prometheus_client
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.middleware.trustedhost import TrustedHostMiddleware

from configs.errors import EmotionTimelinesError, UsageError
from configs.schema import PageSettings
from models.emotions import EMOTIONS
from pipeline.live.supervisor import Supervisor
from pipeline.results.pages import asset
from stages.colours import COLOURS_RGB, hex_of

ASSETS = Path(__file__).parent / "web"
TOKEN_COOKIE = "emotion-timelines-token"
CHANGE_HEADER = "x-emotion-timelines"
"""Pages of other sites cannot send this header, so none can stop a camera."""

START_TIMEOUT_S = 10
STATES = ("connecting", "live", "reconnecting", "ended")


@contextmanager
def page_served(supervisor: Supervisor, settings: PageSettings) -> Iterator[str]:
    """Serve the page from a thread; gives its address, with a token where one is needed.

    Raises:
        UsageError: the host and port of the settings cannot be used.
    """
    token = None if _is_this_machine(settings.host) else settings.token or secrets.token_urlsafe(16)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise UsageError(
                f"page.host, page.port: {settings.host}:{settings.port}: the page cannot be served "
                f"there: {error.strerror or error}"
            ) from error
        server = uvicorn.Server(
            uvicorn.Config(make_app(supervisor, token), log_level="critical", access_log=False)
        )
        thread = Thread(target=server.run, args=([listener],), name="page", daemon=True)
        thread.start()
        deadline_s = monotonic() + START_TIMEOUT_S
        while not server.started and thread.is_alive() and monotonic() < deadline_s:
            sleep(0.05)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}/"
        try:
            yield f"{address}?token={token}" if token else address
        finally:
            server.should_exit = True
            thread.join(START_TIMEOUT_S)


def make_app(supervisor: Supervisor, token: str | None) -> FastAPI:
    """The web application: the page and its data.

    Args:
        supervisor: of the streams to show.
        token: required of viewers, as ``?token=``, cookie or bearer token; None for no token.
    """
    app = FastAPI(title="Emotion Timelines", docs_url=None, redoc_url=None, openapi_url=None)
    if token is None:
        # Prevents DNS rebinding: a web site whose name resolves to this machine.
        app.add_middleware(
            TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "::1"]
        )
    else:
        app.middleware("http")(_token_check(token))

    @app.exception_handler(UsageError)
    def not_found(_: Request, error: UsageError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @app.exception_handler(EmotionTimelinesError)
    def unavailable(_: Request, error: EmotionTimelinesError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503)

    @app.get("/api/streams")
    def streams() -> dict[str, object]:
        return {
            "emotions": EMOTIONS,
            "colours": [hex_of(COLOURS_RGB[name]) for name in EMOTIONS],
            "streams": [asdict(status) for status in supervisor.statuses()],
        }

    @app.get("/api/streams/{name}/recent")
    def recent(name: str, since_s: float = -1.0) -> dict[str, object]:
        return {"points": supervisor.recent(name, since_s)}

    @app.get("/api/streams/{name}/picture")
    def picture(name: str) -> Response:
        jpeg = supervisor.picture(name)
        if jpeg is None:
            return Response(status_code=204)
        return Response(jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})

    @app.post("/api/streams/{name}/{change}")
    def change(name: str, change: str, request: Request) -> dict[str, str]:
        if CHANGE_HEADER not in request.headers:
            raise HTTPException(403, f"the header {CHANGE_HEADER} is missing")
        changes = {"stop": supervisor.stop, "start": supervisor.start}
        if change not in changes:
            raise HTTPException(404, "a stream can be asked to stop or to start")
        changes[change](name)
        return {"stream": name, "asked_to": change}

    registry = prometheus_client.CollectorRegistry()
    registry.register(_Metrics(supervisor))

    @app.get("/metrics")
    def metrics() -> Response:
        text = prometheus_client.generate_latest(registry)
        return Response(text, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    @app.get("/clock.js")
    def clock() -> Response:
        return Response(asset("clock.js"), media_type="text/javascript")

    app.mount("/", StaticFiles(directory=ASSETS, html=True))
    return app


class _Metrics:
    """The metrics of all streams, for Prometheus."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterator[Metric]:
        statuses = self._supervisor.statuses()
        for name, text in (
            ("frames", "Frames in the timeline."),
            ("faces", "Faces in the timeline."),
            ("dropped", "Frames dropped because the stages were too slow."),
            ("lost", "Times the connection was lost."),
        ):
            counter = CounterMetricFamily(f"emotion_timelines_{name}", text, labels=["stream"])
            for status in statuses:
                counter.add_metric([status.name], getattr(status, name))
            yield counter
        rate = GaugeMetricFamily(
            "emotion_timelines_frames_per_second", "Frames recorded per second.", labels=["stream"]
        )
        latency = GaugeMetricFamily(
            "emotion_timelines_latency_seconds",
            "From a frame's arrival to its rows in the table.",
            labels=["stream", "quantile"],
        )
        state = GaugeMetricFamily(
            "emotion_timelines_state", "1 for the state it is in.", labels=["stream", "state"]
        )
        for status in statuses:
            rate.add_metric([status.name], status.frames_per_s)
            latency.add_metric([status.name, "0.5"], status.latency_p50_ms / 1000)
            latency.add_metric([status.name, "0.95"], status.latency_p95_ms / 1000)
            for each in STATES:
                state.add_metric([status.name, each], float(each == status.state))
        yield from (rate, latency, state)


def _token_check(
    token: str,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Middleware that answers 401 to requests without the token."""

    async def check(
        request: Request, following: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        given = (
            request.query_params.get("token"),
            request.cookies.get(TOKEN_COOKIE),
            request.headers.get("authorization", "").removeprefix("Bearer "),
        )
        if not any(secrets.compare_digest((each or "").encode(), token.encode()) for each in given):
            return PlainTextResponse("Open the address that the program printed.", 401)
        response = await following(request)
        if given[0]:
            response.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="strict")
        return response

    return check


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
