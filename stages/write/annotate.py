"""Draw boxes, person ids and expressions on frames, directly in their YUV planes."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from models.emotions import EMOTIONS
from stages.batch import NOBODY, FrameBatch
from stages.colours import COLOURS_RGB, RGB, contrast, yuv_of
from stages.write.rows import rounded_to_steps, whole_percent

INK_RGB, PAPER_RGB = (16, 16, 16), (255, 255, 255)

MOSAIC_SQUARES = 5
"""Across a blurred face: too few to recognise it."""

BLUR_MARGIN = 0.2
"""Around a face, blurred as well, as a share of its width and height."""

BLUR_FRAMES = 5
"""Before and after a frame, in the same batch, whose faces are blurred in it as well."""

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]


class Annotator:
    """Draws on frames of one size.

    Args:
        width, height: of the frames, in pixels, even.
        colorspace: of the frames, as in ``VideoInfo``.
        blur: make all faces unrecognisable.
    """

    def __init__(self, width: int, height: int, colorspace: int, blur: bool = False) -> None:
        self._colorspace, self._blur = colorspace, blur
        shorter = min(width, height)
        self._min_text_px, self._max_text_px = max(12, shorter // 54), max(12, shorter // 24)

    def draw(self, planes: Planes, batch: FrameBatch, index: int) -> None:
        """Draw the faces of the batch's frame at ``index``.

        Args:
            planes: Y, U, V of that frame, as ``yuv_planes`` gives them, writable.
        """
        if self._blur:
            blur_faces(planes, batch, index)
        faces = batch.faces_of(index)
        shown = [face for face in range(faces.start, faces.stop) if batch.people[face] != NOBODY]
        steps = rounded_to_steps(batch.probabilities[faces])
        # The largest faces last, so that their labels stay readable.
        for face in sorted(shown, key=lambda face: batch.boxes[face, 3]):
            likeliest = steps[face - faces.start].argmax()
            emotion, percent = EMOTIONS[likeliest], whole_percent(steps[face - faces.start])
            label = f"{batch.people[face]} {emotion} {percent[likeliest]}%"
            self._draw_face(planes, batch.boxes[face], label, COLOURS_RGB[emotion])

    def _draw_face(self, planes: Planes, box: np.ndarray, label: str, rgb: RGB) -> None:
        height, width = planes[0].shape
        left, top = (int(value) // 2 * 2 for value in box[:2])
        right, bottom = (int(value) // 2 * 2 for value in box[:2] + box[2:])
        # Small faces get small labels, so that a crowd stays readable.
        text_px = int(np.clip(box[2] / 5, self._min_text_px, self._max_text_px))
        # Even, so that a line covers whole pixels of the chroma planes, which are half as large.
        line = max(2, text_px // 12 * 2)
        for grow, colour in ((2, INK_RGB), (0, rgb)):
            outer, yuv = line + grow, yuv_of(colour, self._colorspace)
            x0, y0, x1, y1 = left - grow, top - grow, right + grow, bottom + grow
            _fill(planes, (x0, y0, x1, y0 + outer + grow), yuv)
            _fill(planes, (x0, y1 - outer - grow, x1, y1), yuv)
            _fill(planes, (x0, y0, x0 + outer + grow, y1), yuv)
            _fill(planes, (x1 - outer - grow, y0, x1, y1), yuv)

        text = _text_mask(label, text_px)
        plate_height = text.shape[0] + 2 * line
        plate_width = text.shape[1] + 4 * line
        above, below = top - plate_height, min(bottom, height - plate_height)
        plate_top = above if above >= 0 else below
        plate_left = max(0, min(left, width - plate_width))
        plate = (plate_left, plate_top, plate_left + plate_width, plate_top + plate_height)
        _fill(planes, tuple(value // 2 * 2 for value in plate), yuv_of(rgb, self._colorspace))
        ink = max((INK_RGB, PAPER_RGB), key=lambda ink: contrast(ink, rgb))
        corner = plate_left + 2 * line, plate_top + line
        _blend(planes, corner, text, yuv_of(ink, self._colorspace))


def blur_faces(planes: Planes, batch: FrameBatch, index: int) -> None:
    """Make the faces of the batch's frame at ``index`` unrecognisable."""
    # A face that is detected a moment earlier or later may have been missed here.
    near = slice(max(0, index - BLUR_FRAMES), index + BLUR_FRAMES + 1)
    first, stop = batch.faces_of(near.start).start, batch.faces_of(near.stop - 1).stop
    for box in batch.boxes[first:stop]:
        _pixelate(planes, box)


@lru_cache(maxsize=4096)
def _text_mask(text: str, height_px: int) -> np.ndarray:
    """Coverage of a line of text: (h, w) float32 from 0 to 1, h and w even.

    Drawn four times as large and averaged down, as OpenCV's small text is coarse.
    """
    oversize, font = 4, cv2.FONT_HERSHEY_DUPLEX
    thickness = max(1, round(height_px * oversize / 20))
    scale = cv2.getFontScaleFromHeight(font, round(height_px * oversize * 0.72), thickness)
    (width, _), _ = cv2.getTextSize(text, font, scale, thickness)
    rows = height_px // 2 * 2
    columns = (width // oversize + 3) // 2 * 2
    canvas = np.zeros((rows * oversize, columns * oversize), np.uint8)
    cv2.putText(canvas, text, (0, round(rows * oversize * 0.84)), font, scale, 255, thickness,
                cv2.LINE_AA)  # fmt: skip
    return cv2.resize(canvas, (columns, rows), interpolation=cv2.INTER_AREA) / np.float32(255)


def _pixelate(planes: Planes, box: np.ndarray) -> None:
    """Replace a face and its margin by a few large squares."""
    margin = BLUR_MARGIN * box[2:]
    low, high = box[:2] - margin, box[:2] + box[2:] + margin
    for plane, share in zip(planes, (1, 2, 2), strict=True):
        left, top = (max(0, int(value / share)) for value in low)
        right, bottom = (max(0, int(np.ceil(value / share))) for value in high)
        area = plane[top:bottom, left:right]
        if area.size:
            squares = cv2.resize(area, (MOSAIC_SQUARES,) * 2, interpolation=cv2.INTER_AREA)
            size = (area.shape[1], area.shape[0])
            area[:] = cv2.resize(squares, size, interpolation=cv2.INTER_NEAREST)


def _fill(planes: Planes, area: tuple[int, ...], yuv: tuple[int, int, int]) -> None:
    """Fill a rectangle (left, top, right, bottom), clipped to the picture."""
    left, top, right, bottom = (max(0, value) for value in area)
    for plane, value, share in zip(planes, yuv, (1, 2, 2), strict=True):
        plane[top // share : bottom // share, left // share : right // share] = value


def _blend(
    planes: Planes, corner: tuple[int, int], mask: np.ndarray, yuv: tuple[int, int, int]
) -> None:
    """Blend a colour in by a mask, whose left upper corner is given; clipped to the picture."""
    left, top = (max(0, value // 2 * 2) for value in corner)
    height, width = planes[0].shape
    mask = mask[: max(0, height - top), : max(0, width - left)]
    if not mask.size:
        return
    chroma_mask = mask[::2, ::2]
    for plane, value, share, cover in zip(
        planes, yuv, (1, 2, 2), (mask, chroma_mask, chroma_mask), strict=True
    ):
        rows, columns = cover.shape
        area = plane[top // share : top // share + rows, left // share : left // share + columns]
        cover = cover[: area.shape[0], : area.shape[1]]
        area[:] = area + (value - area.astype(np.float32)) * cover + 0.5
