"""The seven expressions of FER-2013, in the order of every table and every network output."""

EMOTIONS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

FACE_SIZE_PX = 48
"""Side of the square grey face that the networks see, as in FER-2013."""
