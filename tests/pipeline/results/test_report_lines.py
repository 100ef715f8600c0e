"""Outputs of networks in a report, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from pipeline.results.report import write_report
from stages.batch import NOBODY
from tests.pipeline.results.conftest import Open
from tests.pipeline.results.made import result_of, summary_of, timeline_of

RATE = 25
COLUMNS = [
    {"name": "au12", "kind": "sigmoid", "low": 0.0, "high": 1.0, "unit": "probability, 0 to 1"},
    {"name": "gaze_deg", "kind": "value", "low": -90.0, "high": 90.0, "unit": "deg"},
]


@pytest.fixture
def page(open_page: Open, tmp_path: Path) -> Page:
    """One person for four seconds, whose au12 grows from 0 to 1, and is not known for a while;
    the other output stands at -45, and is 45 in the last second."""
    timeline = timeline_of((1, 0, 4, "happy", 0.9), length_s=5)
    time_s = timeline.time_s
    outputs = {
        "au12": np.where((time_s >= 1) & (time_s < 1.2), np.nan, time_s / 4).astype(np.float32),
        "gaze_deg": np.where(time_s < 3, -45, 45).astype(np.float32),
    }
    nobody = timeline.track == NOBODY
    timeline = replace(
        timeline, outputs={name: np.where(nobody, np.nan, own) for name, own in outputs.items()}
    )
    result = result_of(timeline)
    networks = [{"name": "made.onnx", "columns": COLUMNS}]
    provenance = replace(result.provenance, networks=networks)
    result = replace(result, provenance=provenance)
    write_report(result, summary_of(result), {}, tmp_path)
    page = open_page(tmp_path / "report.html")
    page.wait_for_selector("html[data-ready]")
    return page


def test_values_are_told_and_drawn_below_an_unfolded_lane(page: Page) -> None:
    names = page.locator(".line-name")
    expect(names).to_have_text(["au120.00", "gaze_deg-45"])
    for at_s, texts in (
        (2.0, ["au120.50", "gaze_deg-45"]), (3.0, ["au120.75", "gaze_deg45"]),
        (1.1, ["au12", "gaze_deg-45"]), (4.5, ["au12", "gaze_deg"]),
    ):  # fmt: skip
        page.evaluate("at_s => timeline.seek(at_s)", at_s)
        expect(names).to_have_text(texts)
    assert names.nth(1).get_attribute("title") == "gaze_deg: deg"

    heights = heights_of(page, 1)
    expected = {0.2: 0.25, 0.5: 0.25, 0.7: 0.75}  # By place in five seconds, of the range.
    for place, share in expected.items():
        assert heights[round(place * len(heights))] == pytest.approx(share, abs=0.08)
    assert heights[round(0.9 * len(heights))] is None
    grows = heights_of(page, 0)
    assert grows[round(0.22 * len(grows))] is None
    for place in (0.1, 0.4, 0.7):
        assert grows[round(place * len(grows))] == pytest.approx(place * 5 / 4, abs=0.08)


def heights_of(page: Page, number: int) -> list[float | None]:
    """In each column of a line's canvas, how high the pen was, 0 to 1; None where it was not."""
    return page.evaluate(
        """number => {
            const canvas = document.querySelectorAll("canvas.line")[number];
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            const pen = channels(timeline.look.pen), margin = height * MARGIN_SHARE;
            return Array.from({ length: width }, (_, x) => {
                let sum = 0, count = 0;
                for (let y = 0; y < height; y++) {
                    const at = 4 * (y * width + x);
                    const near = pen.every((c, i) => Math.abs(data[at + i] - c) < 60);
                    if (near && data[at + 3] > 100) { sum += y + 0.5; count++; }
                }
                return count ? (height - margin - sum / count) / (height - 2 * margin) : null;
            });
        }""",
        number,
    )  # fmt: skip


def test_lines_fold_with_their_lane_and_take_clicks(page: Page) -> None:
    expect(page.locator("canvas.line")).to_have_count(2)
    box = page.locator("canvas.line").nth(1).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    assert page.evaluate("timeline.at_s") == pytest.approx(2.5, abs=0.05)
    page.locator(".lane .name").click()
    expect(page.locator("canvas.line").first).to_be_hidden()
    page.locator(".lane .name").click()
    expect(page.locator("canvas.line").first).to_be_visible()


def test_lines_break_no_rule_of_accessibility(page: Page, axe: Callable[[Page], list[str]]) -> None:
    assert axe(page) == []
