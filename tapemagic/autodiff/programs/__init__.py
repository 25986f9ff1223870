"""How a recorded run becomes the text of a NumPy program, and what replays it."""
