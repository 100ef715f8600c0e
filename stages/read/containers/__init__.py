"""How containers are laid out: a module each, whose ``follow`` goes from part to part of a file."""
