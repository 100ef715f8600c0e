"""Files for other programs, made of a video's table and segments."""
