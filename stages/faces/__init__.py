"""Find the faces of each frame, and cut them out aligned."""
