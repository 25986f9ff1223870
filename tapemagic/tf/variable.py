"""`tf.Variable`: the variable of the core with TensorFlow's dtypes, names and prints."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import variable as core

from . import advice, operators, picking, printing
from .conversion import convert_to_tensor
from .refusals import refuse
from .scopes import scoped
from .tensor import Tensor, TensorMethods, dtype_of


class Variable(TensorMethods, core.Variable):
    """A value that tapes watch when it is read.

    Parameters
    ----------
    initial_value : tensor, array, number, list, or a callable that returns one
        Copied. Python floats become float32.
    trainable : bool
        Whether tapes watch it when it is read.
    name : str, optional
    dtype : dtype, optional
    constraint : callable, optional
        What an optimizer makes of the value after a step.
    shape : optional
        Checked.

    Examples
    --------
    >>> from tapemagic import tf
    >>> tf.Variable(3.0)
    <tf.Variable 'Variable:0' shape=() dtype=float32, numpy=3.0>
    """

    __slots__ = ("constraint",)
    constraint: Any

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = True,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        if callable(initial_value) and not hasattr(initial_value, "shape"):
            initial_value = initial_value()
        if initial_value is None:
            raise ValueError("Argument `initial_value` must be specified.")
        value = convert_to_tensor(initial_value, dtype)
        if shape is not None:
            value.set_shape(shape)
        name = scoped(name or core.NO_NAME) if type(self) is Variable else name or core.NO_NAME
        super().__init__(value, trainable is not False, name, value.dtype.dtype)
        self.constraint = constraint

    @property
    def name(self) -> str:
        """Name with the ``:0`` that TensorFlow adds."""
        return f"{self.storage.name}:0"

    def assign(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Variable:
        """Replace the value; reads before and after count with the value each had.

        Raises
        ------
        TensorError
            If the dtype does not fit.
        TapeUseError
            If the shape differs.
        """
        self._note_change(value)
        core.Variable.assign(self, self._fitting(value))
        return self

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Add to the value; not recorded."""
        self._note_change(delta)
        return core.Variable.assign_add(self, self._of_own_shape(delta))

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Subtract from the value; not recorded."""
        self._note_change(delta)
        return core.Variable.assign_sub(self, self._of_own_shape(delta))

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        part._part_of = self, index
        return part

    def _assign_part(
        self, index: Any, value: Any, use_locking: bool = False, name: Any = None
    ) -> Variable:
        """Replace the elements at an index: ``v[index].assign(value)``."""
        new = np.array(self._value)
        try:
            new[index] = self._fitting(value)
        except ValueError as error:
            refuse(str(error), "Give it a value of the shape of that part, or one that broadcasts.")
        return core.Variable._change(self, new, value)  # type: ignore[return-value]

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> Variable:
        """Replace elements or slices of the value; not recorded."""
        return self.assign(picking.tensor_scatter_nd_update(self.numpy(), indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> Variable:
        """Add to elements or slices of the value; not recorded."""
        return self.assign(picking.tensor_scatter_nd_add(self.numpy(), indices, updates))

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> Variable:
        """Subtract from elements or slices of the value; not recorded."""
        return self.assign(picking.tensor_scatter_nd_sub(self.numpy(), indices, updates))

    scatter_update = scatter_add = scatter_sub = advice.missing_attribute(
        "Updates as tf.IndexedSlices are not provided.",
        "Use v.scatter_nd_update(indices, updates), scatter_nd_add or scatter_nd_sub.",
    )

    def _fitting(self, value: Any) -> Any:
        return convert_to_tensor(value, dtype_of(self))._value

    def _of_own_shape(self, delta: Any) -> Any:
        """Return what is added or subtracted, which is not broadcast."""
        value = self._fitting(delta)
        if np.shape(value) != np.shape(self._value):
            refuse(
                f"Something of shape {np.shape(value)} cannot be added to a variable of shape "
                f"{np.shape(self._value)}.",
                "Use v.assign(v + x), which broadcasts.",
            )
        return value

    def value(self) -> Tensor:
        """Return the value as a tensor, traced while a tape watches."""
        return self.read_value()

    def initialized_value(self) -> Tensor:
        """Return the value."""
        return self.read_value()

    def __copy__(self) -> Variable:
        name, constraint = self.storage.name, self.constraint
        return type(self)(self._value, self.trainable, name=name, constraint=constraint)

    def __reduce__(self) -> Any:
        self._hand_out("pickling")
        return _rebuild, (self._value, self.trainable, self.storage.name, self.constraint)

    def __repr__(self) -> str:
        return printing.variable_repr(self)

    def __str__(self) -> str:
        return printing.variable_repr(self)

    def __format__(self, spec: str) -> str:
        return TensorMethods.__format__(self, spec) if spec else repr(self)


def _rebuild(value: Any, trainable: bool, name: str, constraint: Any) -> Variable:
    return Variable(value, trainable, name=name, constraint=constraint)


Variable.__name__ = "ResourceVariable"  # tutorials print `type(x).__name__`
Variable.result_class = Tensor
operators.install(Variable)
