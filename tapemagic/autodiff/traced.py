"""`TracedArray`: the handle that user code holds in place of an array.

A wrapper and not an `ndarray` subclass: a subclass has no say in ``plain[:] = t``,
``np.asarray(t)`` or ``plain.dot(t)`` and would lose the tape there in silence. The wrapped value is
a real NumPy array (or scalar, or Python number) in NumPy's own memory order, and ``__class__``
answers with its type, so that ``isinstance(t, np.ndarray)`` holds.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import doing, leaks
from .avals import AVALS
from .calls import dispatch
from .calls.dispatch import HANDLE_TYPES, call, call_elementwise
from .handles import NUMBER
from .places import is_same_window
from .positions import package_of, user_frame
from .primitives import RULES, Primitive
from .pullbacks import NO_KEYWORDS
from .warned import unheard

#: Arrays up to this many bytes are shared with whoever asks for a plain array; that takes a copy.
LENT = 1 << 25
#: The method of SciPy's sparse matrices that multiplies them by an array, and by nothing else.
_PRODUCT = "_matmul_dispatch"


class TracedArray:
    """A value on the tape.

    Attributes
    ----------
    _value : ndarray, NumPy scalar, float or complex
        The plain value. Not to be written to.
    id : int
        Number of its node in the recording that `token` belongs to.
    aval : int
        Code of shape and dtype (`avals.py`).
    token : object or None
        Tells which recording `id` belongs to; None when untracked or stale.
    storage : Storage, VariableState or None
        What `settle` asks when the token does not match: views, written arrays, variables.
    """

    __slots__ = (
        "__weakref__", "_value", "aval", "id", "past", "storage", "token", "version", "window",
    )  # fmt: skip

    _value: Any
    aval: int
    id: int
    past: list[tuple[object, int]]
    storage: Any
    token: object
    version: int
    window: Any

    #: Results of operations are of this class.
    result_class: type
    number_class: type  # what float(x) and np.array(x) are, also of a tensor
    #: Whether results that depend on nothing watched are wrapped as well.
    wraps_plain = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        HANDLE_TYPES.add(cls)

    # ------------------------------------------------------------------ what NumPy asks for

    @property  # type: ignore[misc]  # read-only: what a handle says it is cannot be set
    def __class__(self) -> Any:
        asking = sys._getframe(1)
        if asking.f_code.co_name == _PRODUCT:
            return TracedArray
        if package_of(asking) in leaks.TABLES and asking.f_code.co_name != "array_ufunc":
            return TracedArray  # else a table would keep the handle, and as an array
        return type(self._value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            rule: Any = RULES.get(ufunc)  # none for SciPy's, or a composite
            if type(rule) is Primitive and rule.kind != "constant":
                if len(inputs) == 2:
                    return dispatch.call_binary(rule, ufunc, *inputs)
                if rule.keeps_dtype and self.aval > NUMBER:
                    return dispatch.call_unary(rule, ufunc, self)
            return call(ufunc, inputs, {})
        from .arrays.ufuncs import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, fun: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        if not HANDLE_TYPES.issuperset(types):
            if not all(kind in HANDLE_TYPES or issubclass(kind, np.ndarray) for kind in types):
                return NotImplemented  # what the call means is for another package to say
        return call(fun, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if sys._getframe(1).f_code.co_name == _PRODUCT:
            return np.array(None, dtype=object)  # no array: the operator is left to us
        leaks.leave(self, "it was asked for as a plain array", asked=True)
        if copy is None and type(self) is not self.result_class:
            copy = True  # nobody else writes into a variable's memory
        value = dispatch.plain(self)
        if (
            not copy and isinstance(value, np.ndarray) and value.nbytes <= LENT
        ):  # whoever asked may keep it, or write to it
            from .arrays.views import lent

            value = lent(self)
        return np.array(value, dtype=dtype, copy=copy)

    # ---------------------------------------------------------------------------- plain facts

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape  # which a number of Python's own has not

    @shape.setter
    def shape(self, shape: Any) -> None:
        from .arrays.writing import reshape_in_place

        reshape_in_place(self, shape)

    @property
    def T(self) -> Any:  # noqa: N802  (NumPy's name)
        if not isinstance(self._value, np.ndarray):
            return self._value.T and dispatch.itself(self)
        return dispatch.call_one(RULES[np.transpose], np.ndarray.transpose, self, NO_KEYWORDS, 2)

    @property
    def mT(self) -> Any:  # noqa: N802
        if not isinstance(self._value, np.ndarray):
            return self._value.mT  # its own AttributeError
        return call(np.matrix_transpose, (self,), {})

    @property
    def real(self) -> Any:
        if not (isinstance(self._value, np.ndarray) or AVALS[self.aval].is_complex):
            return dispatch.itself(self)
        return call(np.real, (self,), {})

    @real.setter
    def real(self, part: Any) -> None:
        if not isinstance(self._value, np.ndarray):
            self._value.real = dispatch.plain(part)  # NumPy's own error
        view, given = dispatch.plain(self).real, dispatch.plain(part)
        if not np.size(view):
            view[...] = given  # nothing, or NumPy's own error
        elif not is_same_window(view, given):  # read-only or not
            np.real(self)[...] = part if dispatch.is_traced(part) else np.asarray(part)

    @property
    def imag(self) -> Any:
        return call(np.imag, (self,), {})

    @imag.setter
    def imag(self, part: Any) -> None:
        if not (isinstance(self._value, np.ndarray) and AVALS[self.aval].is_complex):
            self._value.imag = dispatch.plain(part)  # NumPy's own error
        np.imag(self)[...] = part

    @property
    def flat(self) -> Any:
        from .arrays.indexing import FlatIterator

        return FlatIterator(self) if hasattr(self._value, "flat") else self._value.flat

    @flat.setter
    def flat(self, values: Any) -> None:
        if not isinstance(self._value, np.ndarray):
            self._value.flat = dispatch.plain(values)  # NumPy's own error
        plain = dispatch.plain(values)
        in_order = not isinstance(plain, np.ndarray) or plain.flags.f_contiguous
        if dispatch.plain(self).flags.f_contiguous and not in_order:
            values = np.copy(values)  # NumPy copies then, and else reads what it has written
        self.flat[:] = values

    # --------------------------------------------------------------------- numbers and text

    def __bool__(self) -> bool:
        return leaks.flat(bool(dispatch.plain(self)), (self,), bool)

    def __int__(self) -> int:
        if doing.only_formats(user_frame()):  # "%d" % x
            return int(leaks.shown(self))
        return leaks.flat(int(dispatch.plain(self)), (self,), int)

    def __index__(self) -> int:
        value = dispatch.plain(self)
        if not hasattr(value, "__index__"):  # what C code asks for that would take a float as well
            leaks.leave(self, "an integer, or a plain number, is needed here", _INTEGER)
        return operator.index(value)

    def __float__(self) -> float:
        if doing.only_formats(user_frame()):  # "%.3f" % x
            return float(leaks.shown(self))
        leaks.leave(self, "float() makes a plain number of it here", asked=True)
        return float(dispatch.plain(self))

    def __complex__(self) -> complex:
        leaks.leave(self, "complex() makes a plain number of it here", asked=True)
        return complex(dispatch.plain(self))

    def __repr__(self) -> str:
        return repr(leaks.shown(self))

    def __str__(self) -> str:
        return str(leaks.shown(self))

    def __format__(self, spec: str) -> str:
        return format(leaks.shown(self), spec)

    def __hash__(self) -> int:
        return leaks.flat(hash(dispatch.plain(self)), (self,), hash)  # a set or dict decides by it

    def __reduce__(self) -> Any:
        leaks.leave(self, "pickling keeps only its plain value")
        return dispatch.plain(self).__reduce__()

    def __copy__(self) -> Any:
        return np.copy(self) if isinstance(self._value, np.ndarray) else dispatch.itself(self)

    def __deepcopy__(self, memo: dict) -> Any:
        return self.__copy__()

    # ------------------------------------------------------------------ operators not in a table

    def __neg__(self) -> Any:
        rule = RULES[np.negative]
        if self.aval > NUMBER:
            return dispatch.call_unary(rule, operator.neg, self)
        return call_elementwise(rule, operator.neg, (self,))

    def __pos__(self) -> Any:
        return call_elementwise(RULES[np.positive], operator.pos, (self,))

    def __invert__(self) -> Any:
        return ~dispatch.plain(self)  # NumPy's own error

    def __abs__(self) -> Any:
        return dispatch.call_operator(RULES[np.absolute], abs, (self,))

    def __divmod__(self, other: Any) -> Any:
        return _quotient_and_rest(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return _quotient_and_rest(other, self)

    def __round__(self, digits: int | None = None) -> Any:
        if not isinstance(self._value, (float, np.floating)):
            return round(dispatch.plain(self), digits)  # NumPy's own error
        if digits is None:
            return leaks.flat(round(self._value), (self,), round)
        if isinstance(self._value, float) and type(self._value) is float:
            return dispatch.call_primitive(RULES[np.round], (self, digits), {}, round)
        return np.round(self, digits or 0)

    def __eq__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) == dispatch.plain(other), (self, other), operator.eq)

    def __ne__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) != dispatch.plain(other), (self, other), operator.ne)

    def __lt__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) < dispatch.plain(other), (self, other), operator.lt)

    def __le__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) <= dispatch.plain(other), (self, other), operator.le)

    def __gt__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) > dispatch.plain(other), (self, other), operator.gt)

    def __ge__(self, other: Any) -> Any:
        return leaks.flat(dispatch.plain(self) >= dispatch.plain(other), (self, other), operator.ge)

    def __contains__(self, item: Any) -> bool:
        return leaks.flat(
            dispatch.plain(item) in dispatch.plain(self), (self, item), operator.contains
        )

    # ------------------------------------------------------------------------------- containers

    def __iter__(self) -> Iterator:
        if np.ndim(self._value) == 0:
            leaks.refuse_list(self)
            return iter(dispatch.plain(self))  # NumPy's own TypeError
        items: Any = self  # __getitem__ is set by the package
        return (items[i] for i in range(len(self._value)))

    def __len__(self) -> int:
        try:
            return len(self._value)
        except TypeError:  # a number
            leaks.refuse_list(self)
            raise

    def __delitem__(self, index: Any) -> None:
        del dispatch.plain(self)[index]  # NumPy's own error


def _quotient_and_rest(x1: Any, x2: Any) -> Any:
    divmod(dispatch.plain(x1), dispatch.plain(x2))  # its own errors and warnings
    with unheard():
        return x1 // x2, x1 % x2


_INTEGER = "Make one: int(x), or float(tapemagic.stop_gradient(x)); the gradient ends there."

TracedArray.__name__ = "numpy.ndarray"  # Python's own messages: "... object is not callable"
HANDLE_TYPES.add(TracedArray)
TracedArray.result_class = TracedArray.number_class = TracedArray
