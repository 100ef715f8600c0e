"""Settings, the files that hold them, cameras, and every error. Imports nothing of the project."""
