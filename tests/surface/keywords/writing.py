"""Words for tables of programs."""

from itertools import product

#: A mask of the shape of the input A.
W = "np.array([[True, False, True], [True, True, False]])"


def fill(names, lines):
    """Put every name into every line."""
    return [line.format(name) for name, line in product(names.split(), split(lines))]


def split(lines):
    return [line.strip() for line in lines.strip().splitlines()]
