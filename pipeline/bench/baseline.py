"""How this is usually written by hand: the yardstick of ``bench``.

A loop over OpenCV's frames: Haar cascade, ``model.predict`` for each face, ``VideoWriter``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from configs.errors import UsageError
from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.quiet import standard_error_silenced
from stages.faces.haar import CASCADE


class OriginalLoop:
    """The first version of this program; its network is untrained, which costs the same time.

    Raises:
        UsageError: TensorFlow is not installed.
    """

    def __init__(self) -> None:
        try:
            with standard_error_silenced():
                from models.networks import build
        except ImportError as error:
            raise UsageError("the original loop needs TensorFlow; install the extra 'train'") from (
                error
            )
        self._network = build("seed")
        self._network.predict(np.zeros((1, FACE_SIZE_PX, FACE_SIZE_PX, 1)), verbose=0)
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def analyse(self, clip: Path, film: Path, most_frames: int) -> int:
        """Annotate a video's first frames; returns how many there were."""
        capture = cv2.VideoCapture(str(clip))
        size = tuple(int(capture.get(side)) for side in (3, 4))
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(film), codec, capture.get(cv2.CAP_PROP_FPS) or 25, size)
        frames = 0
        while frames < most_frames:
            read, image = capture.read()
            if not read:
                break
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            for x, y, width, height in self._cascade.detectMultiScale(grey, 1.3, 5):
                face = cv2.resize(grey[y : y + height, x : x + width], (FACE_SIZE_PX,) * 2)
                predicted = self._network.predict(face[None, ..., None], verbose=0)
                label = EMOTIONS[int(predicted.argmax())]
                cv2.rectangle(image, (x, y), (x + width, y + height), (0, 255, 0), 2)
                cv2.putText(image, label, (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 255, 0), 2)
            writer.write(image)
            frames += 1
        capture.release()
        writer.release()
        return frames
