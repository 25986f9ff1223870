"""The tape: handles, primitives and their rules, recording, the reverse sweep."""

from . import inplace, operators, rules
from .traced import TracedArray
from .variable import Variable

assert rules
operators.install(TracedArray, Variable)
inplace.install(TracedArray)
