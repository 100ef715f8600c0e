"""Settings, their files, cameras, and every error. Imports nothing else of the project."""
