"""Three networks that want different faces, and what they give, worked out apart from the program.

Nothing of the program is used here but the names of things: faces are sampled out of the planes of
a frame with OpenCV's ``remap``, turned into RGB by the equations of ITU-T H.273, normalised and
multiplied by NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tests.models.made import Made, make_network

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
MARGIN = 0.2

FER = np.array([(15.1, 18.4), (33.3, 18.3), (24.5, 29.0), (17.2, 36.5), (32.4, 36.3)])
ARCFACE = np.array([
    (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
    (70.7299, 92.2041),
])  # fmt: skip

RED_AND_BLUE = {1: (0.2126, 0.0722), 6: (0.299, 0.114)}
"""Their shares in luma, by FFmpeg's number: BT.709, BT.601."""

COLUMNS = ("grey48_calm", "grey48_lively", "au04", "au12", "va_valence", "va_arousal")


@dataclass(frozen=True)
class Face:
    """A face of a frame.

    Attributes:
        planes: Y, U and V of the frame.
        box: x, y, width, height.
        landmarks: (5, 2).
    """

    planes: Sequence[np.ndarray]
    box: np.ndarray
    landmarks: np.ndarray
    colorspace: int


@dataclass(frozen=True)
class Three:
    """The networks, and what they give.

    Attributes:
        wrong: what the reckoning below does wrong on purpose.
    """

    grey: Made
    rgb: Made
    arcface: Made
    wrong: frozenset[str] = field(default=frozenset())

    @property
    def options(self) -> list[object]:
        return [word for made in (self.grey, self.rgb, self.arcface)
                for word in ("--network", made.path)]  # fmt: skip

    @property
    def paths(self) -> list[Path]:
        return [self.grey.path, self.rgb.path, self.arcface.path]

    def expected(self, face: Face) -> np.ndarray:
        """What is to be in ``COLUMNS``, before it is smoothed."""
        landmarks = face.landmarks.astype(float)
        if "mirrored landmarks" in self.wrong:
            landmarks = landmarks[[1, 0, 2, 4, 3]]
        grey = sampled(face, _back_to_landmarks(landmarks, FER), 48, colour=False)
        logits = self.grey.linear(grey[None, None])[0]
        powers = np.exp(logits - logits.max())
        calm, _, lively = powers / powers.sum()

        rgb = sampled(face, _back_to_box(face.box, MARGIN), 224, colour=True) / 255
        if "bgr" in self.wrong:
            rgb = rgb[..., ::-1]
        if "not normalised" not in self.wrong:
            rgb = (rgb - MEAN) / STD
        units = 1 / (1 + np.exp(-self.rgb.linear(np.moveaxis(rgb, -1, 0)[None])[0]))

        rgb = sampled(face, _back_to_landmarks(landmarks, ARCFACE), 112, colour=True)
        values = self.arcface.linear(np.moveaxis(rgb / 127.5 - 1, -1, 0)[None])[0]
        return np.array([calm, lively, *units, *np.clip(values, -1, 1)])


def make_three(folder: Path) -> Three:
    base = {"licence": "CC0-1.0", "source": "made for a test"}
    grey = make_network(
        folder / "grey48.onnx",
        {
            **base,
            "input": {"size": 48, "colour": "grey", "layout": "NHWC", "range": [0, 255]},
            "crop": {"align": "fer2013"},
            "outputs": [{"names": ["calm", None, "lively"], "kind": "softmax", "logits": False}],
        },
        channels=1, size=48, outputs=3, block=4, layout="NHWC", softmax=True, gain=0.02, seed=3,
    )  # fmt: skip
    rgb = make_network(
        folder / "units.onnx",
        {
            **base,
            "prefix": "",
            "input": {"size": 224, "colour": "rgb", "layout": "NCHW", "range": [0, 1],
                      "mean": MEAN, "std": STD},
            "crop": {"margin": MARGIN},
            "outputs": [{"names": ["au04", "au12"], "kind": "sigmoid", "logits": True}],
        },
        channels=3, size=224, outputs=2, block=16, gain=2, seed=5,
    )  # fmt: skip
    arcface = make_network(
        folder / "affect.onnx",
        {
            **base,
            "prefix": "va",
            "input": {"size": 112, "colour": "rgb", "layout": "NCHW", "range": [-1, 1]},
            "crop": {"align": "arcface"},
            "outputs": [{"names": ["valence", "arousal"], "kind": "value", "range": [-1, 1]}],
        },
        channels=3, size=112, outputs=2, block=8, gain=1.5, seed=7, faces=1,
    )  # fmt: skip
    return Three(grey, rgb, arcface)


ResultFolders = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From places in a crop, u and v, to those in the picture, x and y; between centres of pixels."""


def _back_to_landmarks(landmarks: np.ndarray, targets: np.ndarray) -> ResultFolders:
    """Least squares for a turn, a zoom and a shift, as linear equations."""
    equations = np.zeros((10, 4))
    equations[::2] = np.column_stack([landmarks[:, 0], -landmarks[:, 1], np.ones(5), np.zeros(5)])
    equations[1::2] = np.column_stack([landmarks[:, 1], landmarks[:, 0], np.zeros(5), np.ones(5)])
    a, b, c, d = np.linalg.lstsq(equations, targets.reshape(-1), rcond=None)[0]
    back = np.linalg.inv([[a, -b], [b, a]])
    return lambda u, v: tuple(np.tensordot(back, np.stack([u - c, v - d]), 1))


def _back_to_box(box: np.ndarray, margin: float) -> ResultFolders:
    x, y, width, height = box.astype(float)
    side = max(width, height) * (1 + 2 * margin)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    size = 224
    return lambda u, v: (
        left + (u + 0.5) * side / size - 0.5,
        top + (v + 0.5) * side / size - 0.5,
    )


def sampled(face: Face, places: ResultFolders, size: int, colour: bool) -> np.ndarray:
    """A crop, 0 to 255: each of its pixels is the mean of some places in it."""
    fine = max(1, 288 // size)
    within = (np.arange(size * fine) + 0.5) / fine - 0.5
    x, y = places(*np.meshgrid(within, within))
    values = [_at(face.planes[0], x, y)]
    if colour:
        values += [_at(plane, x / 2, (y - 0.5) / 2) for plane in face.planes[1:]]
    blocks = [value.reshape(size, fine, size, fine).mean(axis=(1, 3)) for value in values]
    luma = (blocks[0] - 16) / 219
    if not colour:
        return np.clip(luma, 0, 1) * 255
    u, v = ((block - 128) / 224 for block in blocks[1:])
    red_share, blue_share = RED_AND_BLUE[face.colorspace]
    red, blue = luma + 2 * (1 - red_share) * v, luma + 2 * (1 - blue_share) * u
    green = (luma - red_share * red - blue_share * blue) / (1 - red_share - blue_share)
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 1) * 255


def _at(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cv2.remap(
        plane.astype(np.float32), x.astype(np.float32), y.astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    ).astype(float)  # fmt: skip


def smoothed(time_s: np.ndarray, values: np.ndarray, window_s: float, live: bool) -> np.ndarray:
    """Means over a window, with weights that fall off linearly; frames last equally long.

    Args:
        values: (n, k) of one person who is in every frame.
        live: only what is before counts.
    """
    reach_s = window_s if live else window_s / 2
    before_s = time_s[:, None] - time_s
    weights = np.maximum(1 - np.abs(before_s) / reach_s, 0)
    if live:
        weights[before_s < 0] = 0
    return weights @ values / weights.sum(axis=1, keepdims=True)


def values_in(rows: Sequence[Mapping[str, str]], prefix: str = "") -> np.ndarray:
    """``COLUMNS`` in rows of a table: (n, 6)."""
    return np.array([[float(row[prefix + name]) for name in COLUMNS] for row in rows])
