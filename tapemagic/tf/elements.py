"""Elements of data sets: tensors, and tuples and dicts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .conversion import convert_to_tensor
from .specs import TensorShape, TensorSpec


def as_tensors(structure: Any) -> Any:
    """Return tuples and dicts of tensors for those of data; here a list is data, too."""
    if isinstance(structure, Mapping):
        return {key: as_tensors(part) for key, part in structure.items()}
    if isinstance(structure, tuple) and not isinstance(structure, TensorShape):
        parts = [as_tensors(part) for part in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return convert_to_tensor(structure)


def signature(types: Any, shapes: Any) -> Any:
    """Return what is said of elements by a structure of dtypes and one of shapes, or None."""
    if isinstance(types, Mapping):
        return {key: signature(x, shapes and shapes[key]) for key, x in types.items()}
    if isinstance(types, tuple):
        parts = [None] * len(types) if shapes is None else shapes
        return tuple(signature(*pair) for pair in zip(types, parts, strict=True))
    return TensorSpec(shapes, types)


def as_said(specs: Any, element: Any) -> Any:
    """Return an element of a generator with the dtypes of its signature, if it has its shapes."""
    if isinstance(specs, Mapping):
        return {key: as_said(spec, element[key]) for key, spec in specs.items()}
    if isinstance(specs, tuple):
        return tuple(as_said(*pair) for pair in zip(specs, element, strict=True))
    tensor = convert_to_tensor(element, specs.dtype)
    if specs.shape is not None:
        tensor.set_shape(specs.shape)
    return tensor


def called(function: Callable, element: Any) -> Any:
    """Call a function with an element; a tuple's parts are its arguments."""
    return function(*element) if isinstance(element, tuple) else function(element)
