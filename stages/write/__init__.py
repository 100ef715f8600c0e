"""Bring results to the disk: table rows, the annotated video with its sound, thumbnails."""
