"""Weights of layers, and what has them: `Holder`, the part of a layer that is not its call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.module import Module, flatten
from tapemagic.tf.specs import DType, TensorShape, as_dtype
from tapemagic.tf.variable import Variable

from . import constraints, initializers, regularizers
from .calls import CALL, snake
from .configs import Configured
from .floats import default_float


class Weight(Variable):
    """A variable of a layer, named and printed as Keras does it."""

    __slots__ = ("regularizer",)
    regularizer: Any

    @property
    def path(self) -> str:
        """Names of the layers around it, and its own: ``'dense/kernel'``."""
        return self.storage.name

    @property
    def name(self) -> str:
        """The last part of `path`."""
        return self.path.rpartition("/")[2]

    @property
    def value(self) -> Any:  # a method of TensorFlow's own variables
        """The value as a tensor, traced while a tape watches."""
        return self.read_value()

    def __reduce__(self) -> Any:
        self._hand_out("pickling")
        return Weight, (self._value, self.trainable, True, None, self.path)

    def __repr__(self) -> str:
        value = np.asarray(leaks.shown(self))
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={value.dtype}, value={value}>"
        )

    __str__ = __repr__


_COUNTS: Counter[str] = Counter()


def own_name(cls: type) -> str:
    """Return the name of a new layer: that of its class, numbered from the second on."""
    name = snake(cls.__name__)
    _COUNTS[name] += 1
    return name if _COUNTS[name] == 1 else f"{name}_{_COUNTS[name] - 1}"


def clear_session(free_memory: bool = True) -> None:
    """Let new layers and optimizers be numbered from the beginning."""
    _COUNTS.clear()


class Holder(Configured, Module):
    """Variables, the layers inside, and the losses that they add: what `Layer` is built on."""

    def __init__(self, trainable: bool, dtype: Any, name: str | None) -> None:
        super().__init__(name=name or own_name(type(self)))
        self._own_weights: list[Weight] = []
        self._own_losses: list[Any] = []
        #: what is said of weights that are made later: "kernel_regularizer" and the like
        self._rules: dict[str, Any] = {}
        self._losses_of: object = None  # the run in which they were added
        self._run: object = None  # the last one
        self._trainable = bool(trainable)
        self._dtype = as_dtype(dtype or default_float())

    def check_made(self) -> None:
        """Raise if a subclass has forgotten ``super().__init__()``.

        Raises
        ------
        TapeUseError
        """
        if "_dtype" not in vars(self):
            raise leaks.locate(
                TapeUseError(
                    f"The layer {type(self).__name__} has not been set up.",
                    fix="Begin its __init__ with super().__init__().",
                )
            )

    @property
    def dtype(self) -> DType:
        """Of the weights, and of the computation."""
        return self._dtype

    compute_dtype = variable_dtype = dtype

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, trainable: bool = True,
        autocast: bool = True, name: str | None = None, regularizer: Any = None,
        constraint: Any = None, **more: Any,
    ) -> Weight:  # fmt: skip
        """Make a variable that belongs to this layer, and return it.

        Parameters
        ----------
        shape : tuple of int
        initializer : str or callable, optional
            "glorot_uniform" for floats and "zeros" for the rest, if not given.
        dtype : dtype, optional
            The layer's own if not given.
        trainable : bool
            Whether tapes watch it.
        name : str, optional
        regularizer, constraint : str or callable, optional
            What it adds to `losses`, and what an optimizer makes of it after a step; if not given,
            what the layer was given for it (``kernel_regularizer=``).

        Raises
        ------
        TapeUseError
            For a name in front, as in Keras 2, or a shape that is not known.
        """
        self.check_made()
        refuse_options(self, more)
        if isinstance(shape, str) or (isinstance(shape, (list, tuple)) and None in shape):
            raise leaks.locate(
                TapeUseError(
                    f"add_weight() of {self.name!r} was given the shape {shape!r}.",
                    fix="Write self.add_weight(shape=(...), name='...'), with numbers.",
                )
            )
        wanted = self.dtype if dtype is None else as_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if wanted.is_floating else "zeros"
        value = initializers.get(initializer)(TensorShape(whole_numbers(shape)), dtype=wanted)
        call = CALL.get()
        path = f"{call.path if call else self.name}/{name or 'variable'}"
        weight = Weight(value, trainable, name=path, dtype=wanted)
        short = str(name).removesuffix("_kernel")
        rules = [self._rules.get(f"{short}_regularizer"), self._rules.get(f"{short}_constraint")]
        weight.regularizer = regularizers.get(regularizer or rules[0])
        weight.constraint = constraints.get(constraint or rules[1])
        self._own_weights.append(weight)
        return weight

    # ------------------------------------------------------------------------- what it has inside

    def _parts(self) -> tuple[list[Variable], list[Module]]:
        """Return the variables and the modules in the attributes, in the order of assignment."""
        self.check_made()
        found = list({id(x): x for value in vars(self).values() for x in flatten(value)}.values())
        variables = [x for x in found if isinstance(x, Variable)]
        variables.sort(key=lambda v: not v.trainable)
        return variables, [x for x in found if isinstance(x, Module)]

    def _collect(self, seen: set[int], trainable_only: bool) -> Iterator[Variable]:
        if id(self) in seen or (trainable_only and not self.trainable):
            return
        seen.add(id(self))
        variables, modules = self._parts()
        parts: list[Any] = [variables, *modules]
        for part in parts:
            if isinstance(part, Holder):
                yield from part._collect(seen, trainable_only)
                continue
            for v in variables if part is variables else part.variables:
                if id(v) not in seen and (v.trainable or not trainable_only):
                    seen.add(id(v))
                    yield v

    @property
    def variables(self) -> list[Variable]:  # type: ignore[override]  # (a tuple in tf.Module)
        """All variables: its own, the trainable ones first, then those of the layers inside."""
        return list(self._collect(set(), trainable_only=False))

    @property
    def trainable_variables(self) -> list[Variable]:  # type: ignore[override]
        """The variables to be trained: none of a layer whose `trainable` is False."""
        return list(self._collect(set(), trainable_only=True))

    @property
    def non_trainable_variables(self) -> list[Variable]:  # type: ignore[override]
        """The others."""
        trained = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trained]

    weights = variables
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    @property
    def trainable(self) -> bool:
        """Whether it is trained; set, it holds for the layers inside as well."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in [self, *self.submodules]:
            if isinstance(layer, Holder):
                layer._trainable = bool(value)

    def count_params(self) -> int:
        """Return the number of elements of all weights."""
        return sum(v.shape.num_elements() for v in self.variables)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights as plain arrays."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights: Any) -> None:
        """Assign an array to each weight.

        Raises
        ------
        TapeUseError
            If there are more or fewer of them, or shapes differ.
        """
        given, own = list(weights), self.variables
        if len(given) != len(own):
            raise leaks.locate(
                TapeUseError(f"{self.name!r} has {len(own)} weights, and {len(given)} were given.")
            )
        for v, value in zip(own, given, strict=True):
            v.assign(value)

    # -------------------------------------------------------------------------------- its losses

    def add_loss(self, loss: Any) -> None:
        """Keep something that a training loop adds to its loss, until the next call.

        Raises
        ------
        TapeUseError
            Outside of `call`.
        """
        call = CALL.get()
        if call is None:
            raise leaks.locate(
                TapeUseError(
                    f"add_loss() of {self.name!r} outside of a call.",
                    fix="Use it in the method call, or add to the loss in the training loop.",
                )
            )
        if self._losses_of is not call.run:
            self._own_losses, self._losses_of = [], call.run
        self._own_losses.extend(nest.flatten(loss))

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` was given in the last call, and what weights' regularizers say.

        Of this layer and those inside.
        """
        layers = {id(x): x for x in (self, *self.submodules) if isinstance(x, Holder)}.values()
        added = [
            loss for x in layers if x._losses_of is self._run is not None for loss in x._own_losses
        ]
        regular: list[Any] = self.trainable_variables
        regular = [v for v in regular if getattr(v, "regularizer", None)]
        return added + [v.regularizer(v) for v in regular]


def add_kernel_and_bias(layer: Any, shape: tuple[int, ...], count: int) -> tuple[Weight, Any]:
    """Make the weights of a layer that multiplies: a kernel, and a bias of `count` or None."""
    kernel = layer.add_weight(shape, layer.kernel_initializer, name="kernel")
    if not layer.use_bias:
        return kernel, None
    return kernel, layer.add_weight((count,), layer.bias_initializer, name="bias")


def refuse_options(layer: Holder, options: dict) -> None:
    """Raise for options of Keras that are not provided, and for words that are none.

    Raises
    ------
    TapeUseError
    """
    for name, value in options.items():
        if value is not None:
            raise leaks.locate(
                TapeUseError(
                    f"{type(layer).__name__} takes no {name}={value!r}.", fix="Leave it out."
                )
            )
