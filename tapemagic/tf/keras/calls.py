"""Calls of layers inside calls of layers: whose turn it is, whether this is training; names."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A call that is going on."""

    layer: Any
    path: str  # names of the layers that are at work, the outermost first
    training: Any  # True, False, or None where nobody has said it
    run: object  # the same for all calls inside one outermost call


CALL: ContextVar[Call | None] = ContextVar("the innermost call of a layer", default=None)


@contextmanager
def inside(layer: Any, training: Any = None) -> Iterator[Call]:
    """Make a layer the one that is at work, for the length of a block."""
    outer = CALL.get()
    path = f"{outer.path}/{layer.name}" if outer else layer.name
    if outer and outer.layer is layer:  # building itself
        path = outer.path
    call = Call(layer, path, training, outer.run if outer else object())
    token = CALL.set(call)
    try:
        yield call
    finally:
        CALL.reset(token)


@functools.cache
def parameters(layer: Hashable) -> dict[str, inspect.Parameter]:
    """Return the parameters of the method `call` of a class, in order."""
    call: Any = layer.call  # type: ignore[attr-defined]
    _, *others = inspect.signature(call).parameters.items()
    return dict(others)


def first_input(layer: Any, args: tuple, kwargs: dict) -> Any:
    """Return the first argument of `call`: what weights are built for."""
    cls: Any = type(layer)
    return args[0] if args else kwargs.get(next(iter(parameters(cls)), ""))


def with_training(layer: Any, args: tuple, kwargs: dict) -> tuple[Any, dict]:
    """Return whether a call is training, and its keywords with that where `call` takes it.

    What the user says counts, else what the call around says, else the default of `call`.
    """
    cls: Any = type(layer)
    known, outer = parameters(cls), CALL.get()
    place = list(known).index("training") if "training" in known else len(args)
    kwargs = dict(kwargs)
    training = args[place] if place < len(args) else kwargs.pop("training", None)
    if training is None and outer is not None:
        training = outer.training
    if training is None and "training" in known:
        default = known["training"].default
        training = None if default is inspect.Parameter.empty else default
    if "training" in known and place >= len(args) and training is not None:
        kwargs["training"] = training
    return training, kwargs


def with_mask(layer: Any, args: tuple, kwargs: dict, mask: Any) -> tuple[Any, dict]:
    """Return the mask of a call, and its keywords with that where `call` takes it.

    What the user says counts, else `mask`, which is that of the input.
    """
    cls: Any = type(layer)
    names = list(parameters(cls))
    if "mask" not in names:
        return mask, kwargs
    place = names.index("mask")
    given = args[place] if place < len(args) else kwargs.get("mask")
    if given is not None or mask is None:
        return given, kwargs
    return mask, {**kwargs, "mask": mask}


def snake(name: str) -> str:
    """Return the name of a class as Keras writes it: ``'batch_normalization'``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().lstrip("_")
