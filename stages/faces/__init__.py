"""Detect the faces of each frame, and align them for the network."""
