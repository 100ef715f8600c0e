"""Serve the page of live streams: pictures, charts and figures, for people and for programs.

Everything is made on request, so a page that nobody watches costs nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import prometheus_client
import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from configs.errors import EmotionTimelinesError, UsageError
from configs.schema import PageSettings
from models.emotions import EMOTIONS
from pipeline.live.guard import Guard, is_this_machine
from pipeline.live.listener import address_for_viewers, listen
from pipeline.live.page_server import PageServer
from pipeline.live.recordings import recordings_of
from pipeline.live.supervisor import Supervisor
from pipeline.results.pages import asset
from stages.colours import COLOURS_RGB, hex_of

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "web"
SHARED = {
    "base.css": "text/css",
    "lanes.css": "text/css",
    "clock.js": "text/javascript",
    "stacks.js": "text/javascript",
}
"""What the page has in common with those of results, and its kind."""

MAX_WIDTH_PX = 7680
CHANGE_HEADER = "x-emotion-timelines"
"""Pages of other sites cannot send this header, so none can stop a camera."""

STATES = ("connecting", "live", "reconnecting", "ended")


@contextmanager
def page_served(
    supervisor: Supervisor, settings: PageSettings, say: Callable[[str], None] = log.warning
) -> Iterator[str]:
    """Serve the page from a thread; gives its address, with a token where one is needed.

    Args:
        say: called with a line of text if the server dies; it is then started again.

    Raises:
        UsageError: the host and port of the settings cannot be used.
        EmotionTimelinesError: the page is not served in time.
    """
    token = settings.token or None
    if token is None and not is_this_machine(settings.host):
        token = secrets.token_urlsafe(16)
    with listen(settings) as listener:
        config = uvicorn.Config(
            Guard(make_app(supervisor), token), log_level="critical", access_log=False, ws="none"
        )
        with PageServer(config, listener, say):
            yield address_for_viewers(settings.host, listener.getsockname()[1], token)


def make_app(supervisor: Supervisor) -> FastAPI:
    """The web application: the page and its data, for the streams of a supervisor."""
    app = FastAPI(title="Emotion Timelines", docs_url=None, redoc_url=None, openapi_url=None)

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
            "streams": [
                {**asdict(status), "recordings": len(supervisor.recordings(status.name))}
                for status in supervisor.statuses()
            ],
        }

    @app.get("/api/streams/{name}/recent")
    def recent(
        name: str, since_s: Annotated[float, Query(allow_inf_nan=False)] = -1.0
    ) -> dict[str, object]:
        return supervisor.recent(name, since_s) or {}

    @app.get("/api/streams/{name}/picture")
    def picture(
        name: str, width: Annotated[int | None, Query(ge=16, le=MAX_WIDTH_PX)] = None
    ) -> Response:
        return _jpeg(supervisor.picture(name, width))

    @app.get("/api/streams/{name}/faces/{track}")
    def face(name: str, track: int) -> Response:
        return _jpeg(supervisor.face(name, track))

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

    @app.get("/shared/{name}")
    def shared(name: str) -> Response:
        if name not in SHARED:
            raise HTTPException(404, "there is no such file")
        return Response(asset(name), media_type=SHARED[name])

    app.include_router(recordings_of(supervisor))
    app.mount("/", StaticFiles(directory=ASSETS, html=True))
    return app


def _jpeg(picture: bytes | None) -> Response:
    if picture is None:
        return Response(status_code=204)
    return Response(picture, media_type="image/jpeg", headers={"cache-control": "no-store"})


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
