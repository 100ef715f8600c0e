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
from typing import Annotated, Any

import prometheus_client
import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from configs.errors import EmotionTimelinesError, UsageError
from configs.schema import PageSettings
from models.emotions import EMOTIONS
from pipeline.live.guard import Guard, is_this_machine
from pipeline.live.page_server import PageServer, address_for_viewers, listen
from pipeline.live.supervisor import Supervisor
from pipeline.result_folders import INDEX, REPORT
from pipeline.results.folder import results_in
from pipeline.results.pages import asset
from pipeline.results.report import script_hash
from pipeline.results.summary import Summary
from stages.colours import COLOURS_RGB, hex_of

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parent / "web"
SHARED = {
    "base.css": "text/css",
    "lanes.css": "text/css",
    "clock.js": "text/javascript",
    "stacks.js": "text/javascript",
    "lines.js": "text/javascript",
}
"""What the page has in common with those of results, and its kind."""

MAX_WIDTH_PX = 7680
CHANGE_HEADER = "x-emotion-timelines"
"""Pages of other sites cannot send this header, so none can stop a camera."""

MAX_LISTED = 50
"""The latest recordings of a stream."""

SHOWN = {".html": "text/html", ".jpg": "image/jpeg", ".mp4": "video/mp4"}
"""By suffix; a browser saves all other files."""

REPORT_POLICY = (
    f"default-src 'none'; script-src '{script_hash()}'; style-src 'unsafe-inline'; "
    "img-src data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report is one file, with its script in it: that one, and no other, may run."""

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
            Guard(make_app(supervisor), token, settings.host),
            log_level="critical",
            access_log=False,
            ws="none",
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
        worker = supervisor.worker(name)
        return worker.recent(since_s) if worker else {}

    @app.get("/api/streams/{name}/picture")
    def picture(
        name: str, width: Annotated[int | None, Query(ge=16, le=MAX_WIDTH_PX)] = None
    ) -> Response:
        worker = supervisor.worker(name)
        return _jpeg(worker.picture(width) if worker else None)

    @app.get("/api/streams/{name}/faces/{track}")
    def face(name: str, track: int) -> Response:
        worker = supervisor.worker(name)
        return _jpeg(worker.face(track) if worker else None)

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

    @app.get("/api/streams/{name}/recordings")
    def recordings(name: str) -> dict[str, Any]:
        latest = supervisor.recordings(name)[-MAX_LISTED:]
        return {"recordings": [_described(*each) for each in reversed(latest)]}

    @app.get(f"/recordings/{{name}}/{INDEX}")
    def page_of_all(name: str) -> Response:
        """Where a report says "All videos"."""
        return RedirectResponse("/")

    @app.get("/recordings/{name}/{recording}/{file}")
    def file(name: str, recording: str, file: str) -> Response:
        for folder, _ in supervisor.recordings(name):
            path = _files_in(folder).get(file)
            if folder.name == recording and path is not None:
                return _sent(path)
        raise HTTPException(404, "there is no such recording, or no such file in it")

    app.mount("/", StaticFiles(directory=ASSETS, html=True))
    return app


def _jpeg(picture: bytes | None) -> Response:
    if picture is None:
        return Response(status_code=204)
    return Response(picture, media_type="image/jpeg", headers={"cache-control": "no-store"})


def _files_in(folder: Path) -> dict[str, Path]:
    """The results in a folder by name, and nothing else that somebody put there."""
    return {path.name: path for path in results_in(folder) if not path.is_symlink()}


def _sent(path: Path) -> Response:
    shown = path.suffix in SHOWN and (path.suffix != ".html" or path.name == REPORT)
    headers = {"cache-control": "no-store"}
    if path.name == REPORT:
        headers["content-security-policy"] = REPORT_POLICY
    return FileResponse(
        path,
        media_type=SHOWN[path.suffix] if shown else "application/octet-stream",
        filename=None if shown else path.name,
        headers=headers,
    )


def _described(folder: Path, summary: Summary) -> dict[str, Any]:
    live = summary.live or {}
    files = list(_files_in(folder))
    return {
        "name": folder.name,
        "status": summary.status,
        "reason": summary.reason,
        "started_at": live.get("started_at") or summary.started_at,
        "duration_s": summary.duration_s,
        "people": summary.tracks,
        "files": files,
        "pieces": [piece for piece in live.get("pieces", []) if piece["name"] in files],
    }


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
