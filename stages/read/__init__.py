"""Read files, cameras and network streams into batches of frames."""
