"""The tape: handles, primitives and their rules, recording, the reverse sweep."""

from . import rules
from .arrays import attributes, indexing, inplace, methods, operators, writing
from .traced import TracedArray
from .variable import Variable

setattr(TracedArray, "__getitem__", indexing.getitem)
setattr(TracedArray, "__setitem__", writing.write_item)
operators.install(TracedArray, Variable)
inplace.install(TracedArray)
methods.install(TracedArray)
attributes.install(TracedArray)

__all__ = ["TracedArray", "Variable", "rules"]
