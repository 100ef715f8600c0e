"""Synchrony of series with a known relation, and of such without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest

from pipeline.study.synchrony import LONGEST_LAG_S, synchrony
from tests.pipeline.command import run
from tests.pipeline.study.made import MadeFace, MadeVideo, make_result, times_s, wandering


def course(random: np.random.Generator, length: int) -> np.ndarray:
    """A series that goes its own way slowly, as expressions do."""
    noise = random.normal(size=length + 20)
    return np.convolve(noise, np.ones(5) / 5)[20 : length + 20]


@pytest.mark.parametrize("lag", [-4, 0, 3])
def test_lag_and_correlation_of_a_follower_are_found(lag: int) -> None:
    random = np.random.default_rng(1)
    first = course(random, 120)
    second = np.roll(first, lag) + random.normal(0, 0.02, 120)
    second[50:60] = np.nan
    found = synchrony(first, second, 5)
    assert found is not None
    moved = pandas.Series(second).shift(-lag)
    both = moved.notna()
    assert found[0] == lag
    assert found[1] == pytest.approx(np.corrcoef(first[both], moved[both])[0, 1])
    assert found[2] == both.sum()
    assert 1 / 120 <= found[3] <= 11 / 120  # Of 11 lags, and 120 shifts.


def test_opposites_have_a_negative_correlation() -> None:
    first = course(np.random.default_rng(2), 100)
    lag, r, n, p = synchrony(first, -first, 5) or (None,) * 4
    assert (lag, r, n) == (0, pytest.approx(-1), 100)
    assert p <= 11 / 100


def test_p_of_independent_series_is_as_often_small_as_it_says() -> None:
    """Although smooth series are correlated by chance at some lag, and strongly."""
    random = np.random.default_rng(7)
    found = [synchrony(course(random, 150), course(random, 150), 5) for _ in range(300)]
    p = np.array([result[3] for result in found if result])
    assert abs(np.array([result[1] for result in found if result])).mean() > 0.2
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(
            level, abs=3 * np.sqrt(level * (1 - level) / 300)
        )


def test_series_that_are_too_short_or_constant_have_none() -> None:
    random = np.random.default_rng(4)
    assert synchrony(course(random, 9), course(random, 9), 5) is None
    assert synchrony(np.ones(50), course(random, 50), 5) is None


def test_people_of_a_video_and_videos_of_a_pair_are_compared(tmp_path: Path) -> None:
    out, random, seconds = tmp_path / "out", np.random.default_rng(5), 30
    leader = wandering(random, seconds * 25, "happy", 1)
    follower = np.roll(leader, 25, axis=0)  # A second later.
    alone = MadeFace(wandering(random, seconds * 25, "sad", 1), seen=np.arange(750) < 300)
    make_result(
        out, "two.mp4", MadeVideo({1: MadeFace(leader), 2: MadeFace(follower)}, times_s(30))
    )
    make_result(out, "left.mp4", MadeVideo({1: alone, 2: MadeFace(leader)}, times_s(30)))
    make_result(out, "right.mp4", MadeVideo({5: MadeFace(follower)}, times_s(30)))
    told = tmp_path / "participants.tsv"
    told.write_text(
        "video\tparticipant\tcondition\tpair\nleft.mp4\ta\tx\td1\nright.mp4\tb\tx\td1\n"
        "two.mp4\tc\tx\tn/a\n"
    )
    outcome = run("export", out, "--bins", 0.5, "--participants", told, "--synchrony")
    assert outcome.returncode == 0, outcome.stderr
    table = pandas.read_csv(out / "synchrony.csv").set_index(
        ["pair", "first_video", "first_track", "second_video", "second_track"]
    )
    assert set(table.index) == {
        ("two.mp4", "two.mp4", 1, "two.mp4", 2),
        ("left.mp4", "left.mp4", 1, "left.mp4", 2),
        ("d1", "left.mp4", 2, "right.mp4", 5),
    }
    bins = pandas.read_csv(out / "bins.csv").set_index(["video", "track"])
    for who in (("two.mp4", "two.mp4", 1, "two.mp4", 2), ("d1", "left.mp4", 2, "right.mp4", 5)):
        happy = table.loc[who].set_index("measure").loc["happy"]
        first = bins.loc[who[1:3], "mean_happy"].to_numpy()
        second = bins.loc[who[3:5], "mean_happy"].to_numpy()
        assert happy.lag_s == 1
        assert happy.r == pytest.approx(np.corrcoef(first[:-2], second[2:])[0, 1], abs=1e-5)
        assert happy.n == seconds * 2 - 2
        assert happy.p <= 21 / 60  # 21 lags of 60 bins.
    assert table.lag_s.abs().max() <= LONGEST_LAG_S
