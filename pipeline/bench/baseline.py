"""The baseline of ``bench``: a loop over OpenCV's frames, as such programs are usually written.

Haar cascade, ``model.predict`` for each face, ``VideoWriter``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.emotions import EMOTIONS, FACE_SIZE_PX
from models.optional import packages_needed
from stages.faces.older_detectors import CASCADE


class BaselineLoop:
    """The baseline program; its network is not trained, which does not change its speed.

    Raises:
        MissingPackageError: TensorFlow is not installed.
    """

    def __init__(self) -> None:
        with packages_needed("the baseline", "tensorflow"):
            from models.networks import build
        self._network = build("seed")
        self._network.predict(np.zeros((1, FACE_SIZE_PX, FACE_SIZE_PX, 1)), verbose=0)
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def analyse(self, clip: Path, film: Path, max_frames: int) -> int:
        """Annotate the first frames of a video; returns their number."""
        capture = cv2.VideoCapture(str(clip))
        size = tuple(int(capture.get(side)) for side in (3, 4))
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(film), codec, capture.get(cv2.CAP_PROP_FPS) or 25, size)
        frames = 0
        while frames < max_frames:
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
