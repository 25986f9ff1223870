"""All programs that use keywords, family by family."""

from surface.keywords.creation import CREATION, METHODS
from surface.keywords.products import FOURIER, PRODUCTS
from surface.keywords.reductions import REDUCTIONS
from surface.keywords.shapes import SHAPES

FAMILIES = {
    "reductions": REDUCTIONS, "shapes": SHAPES, "products": PRODUCTS, "fourier": FOURIER,
    "creation": CREATION, "methods": METHODS,
}  # fmt: skip
