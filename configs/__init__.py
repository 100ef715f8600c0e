"""Settings, their files, cameras, the cache, and every error.

Imports nothing else of the project.
"""
