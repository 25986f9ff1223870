"""Models of connected layers: what layers return for an `Input`, and how they are run.

A layer that is called with a `KerasTensor` computes nothing: the result is another one, of the
shape that it would have, which knows the layer and what it was called with. A model of inputs and
outputs calls these layers, each once, in the order in which they were connected.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.unrecorded import unrecorded
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.creation import ones, zeros
from tapemagic.tf.tensor import dtype_of

from . import masks
from .calls import first_input, parameters

_NUMBERS, _CALLS = count(), count()
#: Lengths that stand for one that is not known: what differs between the two results is not, too.
_TRIED = (1, 2), (32, 64)


class KerasTensor:
    """What a layer will return, or a model be given: a shape, a dtype, and where it comes from.

    Attributes
    ----------
    shape : tuple of (int or None)
    dtype : str
    call : Connection or None
        None for an `Input`.
    mask_axes : int or None
        Number of axes of the mask that comes with it.
    """

    mask_axes: int | None = None

    #: NumPy's operators are left to the methods here.
    __array_ufunc__ = None

    def __init__(self, shape: Any, dtype: Any, call: Any = None, name: str | None = None) -> None:
        self.shape, self.dtype, self.call = tuple(shape), str(np.dtype(dtype)), call
        number = next(_NUMBERS) if name is None else 0
        self.name = name or ("keras_tensor" if number == 0 else f"keras_tensor_{number}")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, "
            f"name={self.name}>"
        )

    def again(self) -> KerasTensor:
        """Return another one, not connected."""
        return KerasTensor(self.shape, self.dtype, None, name=self.name)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise _no_value(self)

    def __bool__(self) -> bool:
        raise _no_value(self)

    def __iter__(self) -> Iterator:
        raise _no_value(self)

    def __getitem__(self, index: Any) -> KerasTensor:
        return connect(operator.getitem, (self, index))

    def __neg__(self) -> KerasTensor:
        return connect(operator.neg, (self,))

    def __abs__(self) -> KerasTensor:
        return connect(operator.abs, (self,))


def _no_value(x: KerasTensor) -> TapeUseError:
    return leaks.locate(
        TapeUseError(
            f"{x.name!r} stands for what a model will be given or compute: it has no value.",
            fix="Connect it by layers, operators or tf.keras.ops, or write a layer that computes.",
        )
    )


def _operator(name: str) -> tuple[Callable, Callable]:
    compute = getattr(operator, name)

    def forward(self: KerasTensor, other: Any) -> KerasTensor:
        return connect(compute, (self, other))

    def reflected(self: KerasTensor, other: Any) -> KerasTensor:
        return connect(compute, (other, self))

    return forward, reflected


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    for _prefix, _method in zip(("", "r"), _operator(_name), strict=True):
        setattr(KerasTensor, f"__{_prefix}{_name}__", _method)


class Connection:
    """A call of a layer or function that has been noted.

    Attributes
    ----------
    number : int
        They are run in this order.
    run : callable
    args, kwargs
        With a `KerasTensor` for each tensor.
    outputs : KerasTensor, or a nested structure of them
    """

    def __init__(self, run: Callable, args: tuple, kwargs: dict) -> None:
        self.number, self.run, self.args, self.kwargs = next(_CALLS), run, args, kwargs
        found = [nest.flatten(self._tried(lengths)) for lengths in zip(*_TRIED, strict=True)]
        tensors = [
            KerasTensor(_common(np.shape(plain(x)), np.shape(plain(y))), dtype_of(x), self)
            for x, y in zip(*found, strict=True)
        ]
        for x, tensor in zip(found[0], tensors, strict=True):
            if (mask := masks.of(x)) is not None:
                tensor.mask_axes = np.ndim(plain(mask))
        self.outputs = nest.pack_sequence_as(self._tried((1, 32)), tensors)

    def _tried(self, lengths: tuple[int, int]) -> Any:
        """Return the result for zeros: the first length stands for the batch."""

        def example(x: KerasTensor) -> Any:
            batch, *others = x.shape
            first = lengths[0] if batch is None else batch
            shape = [first, *(lengths[1] if n is None else n for n in others)]
            mask = None if x.mask_axes is None else ones(shape[: x.mask_axes], bool)
            return masks.attach(zeros(shape, x.dtype), mask)

        with unrecorded(), unheard():  # of zeros, which divide each other, say
            return self.compute(example, training=False)

    def compute(
        self, value_of: Callable[[KerasTensor], Any], training: Any = None, more: Any = None
    ) -> Any:
        """Return the result for the values of what it was called with.

        Whether the model trains, if somebody said it, goes before what a layer was connected with.
        """
        args, kwargs = _filled([list(self.args), dict(self.kwargs)], value_of)
        kwargs |= more or {}
        if training is not None and hasattr(self.run, "trainable_variables"):
            kwargs["training"] = training
        return self.run(*args, **kwargs)


def _filled(x: Any, value_of: Callable[[KerasTensor], Any]) -> Any:
    """Return a structure with values in place of what stands for them."""
    return nest.map_structure(lambda y: value_of(y) if isinstance(y, KerasTensor) else y, x)


def _common(shape: tuple, other: tuple) -> tuple:
    return tuple(n if n == m else None for n, m in zip(shape, other, strict=True))


def connect(run: Callable, args: tuple, kwargs: dict | None = None) -> Any:
    """Note a call, and return what stands for its result."""
    return Connection(run, args, kwargs or {}).outputs


def is_connected(*given: Any) -> bool:
    """Tell whether a `KerasTensor` is among arguments."""
    return any(isinstance(x, KerasTensor) for x in nest.flatten(list(given)))


def _what(one: Any) -> Any:
    """Return the layer of a connection, which several may have; else it, or the input, itself."""
    is_layer = isinstance(one, Connection) and hasattr(one.run, "trainable_variables")
    return one.run if is_layer else one


def _needed(one: Any) -> list[KerasTensor]:
    """Return what a connection was called with."""
    if not isinstance(one, Connection):
        return []
    given = nest.flatten([list(one.args), dict(one.kwargs)])
    return [x for x in given if isinstance(x, KerasTensor)]


class Network:
    """Inputs, outputs, and the connections between them in the order in which they are run.

    Raises
    ------
    TapeUseError
        If an output depends on an `Input` that is not among the inputs.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._given = {id(x) for x in nest.flatten(inputs)}
        self._places: dict[Any, int] = {}  # in which order they are found, from the outputs on
        self._found: list[Any] = []  # connections and inputs, each after those that it needs
        known: set[int] = set()
        for x in nest.flatten(outputs):
            self._add(x, known)
        found = [one for one in self._found if isinstance(one, Connection)]
        self._places |= {x: -1 for x in nest.flatten(inputs) if x not in self._places}
        self.connections = sorted(found, key=lambda one: one.number)

    def _add(self, x: Any, known: set[int]) -> None:
        """Add what a tensor comes from, without recursion: networks are deep."""
        waiting = [x]
        while waiting:
            x = waiting[-1]
            if id(x) in known:
                waiting.pop()
                continue
            is_given = id(x) in self._given
            if not is_given and (not isinstance(x, KerasTensor) or x.call is None):
                name = getattr(x, "name", type(x).__name__)
                raise leaks.locate(
                    TapeUseError(
                        f"An output of the model depends on {name!r}, which is not among its "
                        "inputs.",
                        fix="Name it: tf.keras.Model(inputs=[...], outputs=...).",
                    )
                )
            one = x if is_given else x.call
            self._places.setdefault(_what(one), len(self._places))
            missing = [y for y in _needed(one) if id(y) not in known]
            waiting += reversed(missing)
            if not missing:
                self._found.append(one)
                known.update([id(x)] if is_given else map(id, nest.flatten(x.call.outputs)))

    def in_order(self) -> list[Any]:
        """Return layers, functions and inputs, each once, in Keras's order.

        First is what is furthest from the outputs; of those as far, what is found first from there.
        """
        far = dict.fromkeys(self._places, 0)  # and the numbers of connections, several of a layer
        for one in reversed(self._found):
            what = _what(one)
            far[what] = far[id(one)] = depth = max(far.get(id(one), 0), far[what])
            for x in _needed(one):
                before = id(x) if id(x) in self._given else id(x.call)
                far[before] = max(depth + 1, far.get(before, 0))
        return sorted(self._places, key=lambda what: (-far[what], self._places[what]))

    def twin(self, function: Callable | None = None) -> tuple[Any, Any]:
        """Return other inputs, and what other layers of the same settings make of them."""
        values: dict[Any, Any] = {x: x.again() for x in nest.flatten(self.inputs)}
        layers: dict[int, Any] = {}
        for one in self.connections:
            run: Any = one.run
            if hasattr(run, "_clone"):
                if id(run) not in layers:
                    layers[id(run)] = run._clone(function)
                run = layers[id(run)]
            args, kwargs = nest.map_structure(
                lambda x: values[x] if isinstance(x, KerasTensor) else x,
                [list(one.args), dict(one.kwargs)],
            )
            again = run(*args, **kwargs) if run is not one.run else connect(run, args, kwargs)
            values.update(zip(nest.flatten(one.outputs), nest.flatten(again), strict=True))
        outputs = nest.map_structure(values.__getitem__, self.outputs)
        return nest.map_structure(values.__getitem__, self.inputs), outputs

    @staticmethod
    def _mask(one: Connection, noted: dict) -> dict[str, Any]:
        """Return the mask that a call was connected with, where a layer before it took it off.

        Keras notes it when layers are connected, and `MultiHeadAttention` takes it off the tensor
        when it is run.
        """
        layer: Any = type(one.run)
        if not hasattr(one.run, "trainable_variables") or "mask" not in parameters(layer):
            return {}
        first = first_input(one.run, one.args, one.kwargs)
        is_said = "mask" in one.kwargs or not isinstance(first, KerasTensor)
        return {} if is_said else {"mask": noted[first]}

    def run(self, inputs: Any, training: Any = None) -> Any:
        """Return the outputs for values of the inputs."""
        names = nest.flatten(self.inputs)
        if isinstance(inputs, dict) and not isinstance(self.inputs, dict):
            inputs = [inputs[name.name] for name in names if name.name in inputs]
        given = nest.flatten(inputs)
        if len(names) != len(given):
            raise leaks.locate(
                TapeUseError(f"The model takes {len(names)} inputs, and {len(given)} were given.")
            )
        values = dict(zip(names, given, strict=True))
        noted = {name: masks.of(x) for name, x in values.items()}
        for one in self.connections:
            is_lost = any(noted[x] is not masks.of(values[x]) for x in _needed(one))
            known = self._mask(one, noted) if is_lost else {}
            results = nest.flatten(one.compute(values.__getitem__, training, known))
            tensors = nest.flatten(one.outputs)
            values.update(zip(tensors, results, strict=True))
            noted.update(zip(tensors, map(masks.of, results), strict=True))
            if is_lost and getattr(one.run, "supports_masking", False):
                first = first_input(one.run, one.args, one.kwargs)
                x, mask = (_filled(first, of.__getitem__) for of in (values, noted))
                made = nest.flatten(one.run.compute_mask(x, mask))  # type: ignore[attr-defined]
                noted.update(zip(tensors, made, strict=False))
        return nest.map_structure(values.__getitem__, self.outputs)
