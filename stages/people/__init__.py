"""Tell who is who: tracks within a shot, person ids across shots, and which faces last."""
