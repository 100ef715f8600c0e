"""Emotion Timelines: turn video into timelines of facial expressions. See ``--help``."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
