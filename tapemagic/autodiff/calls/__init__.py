"""Carrying out and recording a call on traced arrays: the general way, and the short ones."""
