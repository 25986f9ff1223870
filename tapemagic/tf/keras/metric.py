"""What metrics of Keras have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf.specs import as_dtype

from . import initializers
from .floats import default_float
from .weights import Weight, own_name


class Metric:
    """Base class: `update_state` takes in what is measured, `result` says what of it.

    A subclass keeps what it needs in variables of ``self.add_weight(name=...)``, zeros at first.
    """

    #: "up" if larger is better, "down" if smaller is, for callbacks that compare.
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or own_name(type(self))
        self.dtype = as_dtype(dtype or default_float())
        self.variables: list[Weight] = []

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Weight:
        """Make a variable, which `reset_state` sets to 0."""
        value = initializers.get(initializer or "zeros")(shape, dtype=dtype or self.dtype)
        self.variables.append(Weight(value, False, name=f"{self.name}/{name or 'variable'}"))
        return self.variables[-1]

    add_variable = add_weight

    def reset_state(self) -> None:
        """Set every variable to 0."""
        for v in self.variables:
            v.assign(np.zeros(v.shape, v.dtype.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take in what is measured; for subclasses."""
        raise NotImplementedError

    def result(self) -> Any:
        """Return what is known so far; for subclasses."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in something and return what is known so far."""
        self.update_state(*args, **kwargs)
        return self.result()
