"""What optimizers of the user's own are written with: variables, and how those are changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError
from tapemagic.tf.specs import TensorShape, as_dtype
from tapemagic.tf.variable import Variable

from . import initializers
from .configs import Configured
from .floats import default_float
from .weights import Weight


class OwnSteps(Configured):
    """Base class: a subclass may have a `build` and an `update_step`, as in Keras 3.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Signs(tf.keras.optimizers.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * tf.sign(gradient))
    >>> v = tf.Variable([1.0, 2.0])
    >>> _ = Signs(0.5).apply([tf.constant([3.0, -4.0])], [v])
    >>> print(v.numpy())
    [0.5 2.5]
    """

    name: str

    def __init__(self) -> None:
        self.built = False
        self._moved: list[Variable] = []
        self._own_variables: list[Weight] = []
        self._not_decayed: tuple[set[int], list[str]] = set(), []

    def build(self, variables: Any) -> None:
        """Hear which variables will be moved, before the first step.

        What the optimizers here remember of a variable begins with its first step.
        """
        self.built, self._moved = True, list(variables)

    def add_variable(
        self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: Any = "none",
        layout: Any = None, name: str | None = None,
    ) -> Weight:  # fmt: skip
        """Make a variable in which the optimizer remembers something."""
        wanted = as_dtype(dtype or default_float())
        value = initializers.get(initializer)(TensorShape(shape), dtype=wanted)
        weight = Weight(value, False, name=f"{self.name}/{name or 'variable'}", dtype=wanted)
        self._own_variables.append(weight)
        return weight

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Weight:
        """Make a variable in which the optimizer remembers something of another, of its shape."""
        whose = getattr(reference_variable, "path", reference_variable.name)
        called = f"{re.sub('[/:]', '_', whose)}_{name or 'var'}"
        shape, dtype = reference_variable.shape, reference_variable.dtype
        return self.add_variable(shape, initializer, dtype, name=called)

    def add_optimizer_variables(
        self, trainable_variables: Any, name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make such a variable of each; of several names, a tuple of lists."""
        if not isinstance(name, str):
            starts = initializer if isinstance(initializer, (list, tuple)) else [initializer]
            starts = [*starts] * len(name) if len(starts) == 1 else starts
            return tuple(
                self.add_optimizer_variables(trainable_variables, one, start)
                for one, start in zip(name, starts, strict=True)
            )
        return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]

    def _get_variable_index(self, variable: Any) -> int:
        """Return which one of the variables that `build` was told of this is."""
        for place, known in enumerate(self._moved):
            if known is variable:
                return place
        raise leaks.locate(
            TapeUseError(
                f"{self.name!r} has never heard of the variable {variable.name!r}.",
                fix="Call optimizer.build(variables) with all variables before the first step.",
            )
        )

    def assign(self, variable: Any, value: Any) -> None:
        """Replace the value of a variable."""
        variable.assign(value)

    def assign_add(self, variable: Any, value: Any) -> None:
        """Add to a variable; a value of fewer axes is broadcast."""
        variable.assign(variable + value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtract from a variable; a value of fewer axes is broadcast."""
        variable.assign(variable - value)

    def exclude_from_weight_decay(
        self, var_list: Iterable | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Name variables that do not decay: themselves, or by parts of their names."""
        self._not_decayed = {id(v) for v in var_list or ()}, [*(var_names or ())]

    def _decays(self, variable: Any) -> bool:
        """Tell whether a variable is not excluded."""
        excluded, names = self._not_decayed
        return id(variable) not in excluded and not any(
            re.search(part, variable.name) for part in names
        )
