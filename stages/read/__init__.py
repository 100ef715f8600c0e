"""Open files, cameras and network streams, and give their frames as batches."""
