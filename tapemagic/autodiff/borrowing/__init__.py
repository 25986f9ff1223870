"""Somebody else's names: their arrays are behind handles for a while, and given back in the end."""
