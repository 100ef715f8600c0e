"""Give viewers of the page the finished recordings of streams: tables, films and reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse, RedirectResponse

from pipeline.live.supervisor import Supervisor
from pipeline.places import INDEX, REPORT
from pipeline.results.folder import results_in
from pipeline.results.report import script_hash
from pipeline.results.summary import Summary

MAX_LISTED = 50
"""The latest recordings of a stream."""

SHOWN = {".html": "text/html", ".jpg": "image/jpeg", ".mp4": "video/mp4"}
"""By suffix; a browser saves all other files."""

REPORT_POLICY = (
    f"default-src 'none'; script-src '{script_hash()}'; style-src 'unsafe-inline'; "
    "img-src data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report is one file, with its script in it: that one, and no other, may run."""


def recordings_of(supervisor: Supervisor) -> APIRouter:
    """What answers requests for recordings."""
    router = APIRouter()

    @router.get("/api/streams/{name}/recordings")
    def recordings(name: str) -> dict[str, Any]:
        latest = supervisor.recordings(name)[-MAX_LISTED:]
        return {"recordings": [_described(*each) for each in reversed(latest)]}

    @router.get(f"/recordings/{{name}}/{INDEX}")
    def page_of_all(name: str) -> Response:
        """Where a report says "All videos"."""
        return RedirectResponse("/")

    @router.get("/recordings/{name}/{recording}/{file}")
    def file(name: str, recording: str, file: str) -> Response:
        for folder, _ in supervisor.recordings(name):
            path = _files_in(folder).get(file)
            if folder.name == recording and path is not None:
                return _sent(path)
        raise HTTPException(404, "there is no such recording, or no such file in it")

    return router


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
