"""The tape: handles, primitives and their rules, recording, the reverse sweep."""

from . import attributes, inplace, methods, operators, rules
from .traced import TracedArray
from .variable import Variable

operators.install(TracedArray, Variable)
inplace.install(TracedArray)
methods.install(TracedArray)
attributes.install(TracedArray)

__all__ = ["TracedArray", "Variable", "rules"]
