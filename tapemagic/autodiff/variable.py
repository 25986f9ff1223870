"""`Variable`: a named value that tapes watch when it is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError, VariableError

from . import leaks, recorder
from .avals import AVALS, code_of
from .calls import dispatch
from .recorder import RECORDER
from .structure import source
from .traced import TracedArray

#: What a variable is called that was not given a name.
NO_NAME = "Variable"


class VariableState:
    """What a tape needs to know of a variable: takes the place of a `Storage`."""

    __slots__ = ("leaf_token", "name", "number", "trainable")

    #: As for a `Storage`: its memory is never written to, only replaced.
    written = False

    def __init__(self, trainable: bool, name: str, number: int) -> None:
        self.trainable, self.name, self.number = trainable, name, number
        self.leaf_token: object = None  # the recording in which the current value has a node

    def settle(self, variable: Any, reads: bool = True, frame: Any = None) -> tuple[Any, int, int]:
        """Return value, id, aval of a variable that is being read; let open tapes watch it.

        `frame` is the user's, if it is known.
        """
        code = variable.aval
        if code < 0 and AVALS[code].dtype.kind not in "fc":
            return variable._value, -1, code
        token = RECORDER.token
        id_ = -1
        for tape in RECORDER.tapes:
            known = tape._watched.get(id(variable))
            if known is None and not (self.trainable and tape._watches_reads):
                continue
            if self.leaf_token is not token:
                variable.id = add_source(variable, frame)
                self.leaf_token = token
            if id_ < 0:
                id_, variable.token = variable.id, token
                tape._recording.variables.append(variable)
            if known is None:
                tape._watched[id(variable)] = (variable, [id_])
            elif id_ not in known[1]:
                tape.note_version(variable, known[1])
        return variable._value, id_, code

    def node_of(self, variable: Any) -> int:
        """Return the node of the current value, or -1."""
        return self.settle(variable)[1]

    def peek(self, variable: Any) -> Any:
        """Return the plain value."""
        return variable._value

    def refuse_write(self, variable: Any) -> None:
        """Raise: a variable changes by `assign`.

        Raises
        ------
        VariableError
        """
        raise VariableError(
            f"The Variable {self.name!r} cannot be written to in place.",
            why="Each read counts with the value it had, so the old value has to stay.",
            fix="Use v.assign(...), v.assign_add(...), v.assign_sub(...); for one element,"
            " change a copy and assign it.",
        )


def add_source(handle: Any, frame: Any = None) -> int:
    """Record a leaf for the value that a handle has now; return its id."""
    if frame is None:
        return recorder.append((handle.aval, (), (), (), None, handle._value), source.code, 4)
    entries, offset, context = RECORDER.entries, frame.f_lasti, RECORDER.context
    entries.append((source.code, offset, context, handle.aval, (), (), (), None, handle._value))
    return len(entries) - 1


class Variable(TracedArray):
    """A value that tapes watch, like TensorFlow's.

    Parameters
    ----------
    initial_value : array_like
        Copied. Floats become float64 unless the data or `dtype` say otherwise.
    trainable : bool
        Whether tapes watch it when it is read.
    name : str, optional
    dtype : dtype, optional

    Examples
    --------
    >>> import tapemagic
    >>> x = tapemagic.Variable(-2.0)
    >>> with tapemagic.GradientTape() as tape:
    ...     y = x ** 2
    >>> print(tape.gradient(y, x))
    -4.0
    """

    __slots__ = ()
    _made = 0

    def __init__(
        self, initial_value: Any, trainable: bool = True, name: str = "", dtype: Any = None
    ) -> None:
        Variable._made += 1
        value = np.array(dispatch.plain(initial_value), dtype=dtype)
        self._value = value if value.ndim else value[()]
        self.aval = code_of(self._value)
        self.id, self.token = -1, None
        self.storage = VariableState(bool(trainable), name or NO_NAME, Variable._made)

    @property
    def name(self) -> str:
        """Name given at creation."""
        return self.storage.name

    @property
    def trainable(self) -> bool:
        """Whether tapes watch this variable when it is read."""
        return self.storage.trainable

    @property
    def value(self) -> Any:
        """The plain value, not to be written to; the gradient ends there."""
        self._hand_out("value")
        return self._value

    def numpy(self) -> Any:
        """Return a copy of the plain value; the gradient ends there."""
        self._hand_out("numpy()")
        return np.array(self._value)[()]

    def read_value(self) -> Any:
        """Return the value as an ordinary result, traced while a tape watches."""
        # NumPy has no plus for bools
        return dispatch.itself(self) if self._value.dtype.kind == "b" else +self

    value_ = read_value

    def assign(self, value: Any) -> Variable:
        """Replace the value; reads before and after count with the value each had.

        Raises
        ------
        TapeUseError
            If the shape differs.
        """
        new = np.array(dispatch.plain(value), dtype=np.asarray(self._value).dtype)
        self._note_change(value)
        if new.shape != np.shape(self._value):
            raise TapeUseError(
                f"Variable {self.name!r} has shape {np.shape(self._value)}, and {new.shape} was "
                "assigned.",
                fix="A Variable keeps its shape: make a new one.",
            )
        self._value = new if new.ndim else new[()]
        self.token = None
        self.storage.leaf_token = None
        return self

    def assign_add(self, delta: Any) -> Variable:
        """Add to the value: ``v.assign(v + delta)``, not recorded."""
        return self._change(self._value + dispatch.plain(delta), delta)

    def assign_sub(self, delta: Any) -> Variable:
        """Subtract from the value: ``v.assign(v - delta)``, not recorded."""
        return self._change(self._value - dispatch.plain(delta), delta)

    def _change(self, value: Any, delta: Any) -> Variable:
        if self.token is RECORDER.token:  # a program has the old value as an input
            leaks.decided(None, (self,), {})
        self._note_change(delta)
        leaks.note("cut", (self,), "assign()")
        return self.assign(value)

    def _note_change(self, given: Any) -> None:
        """Note that the next value is made of a traced one: the gradient ends there."""
        leaks.hand_out(given, "assign()")

    def __repr__(self) -> str:
        return f"Variable({self._value!r})"

    def __str__(self) -> str:
        return str(self._value)

    def _hand_out(self, how: str) -> None:
        """Note that plain code has the value, which a program takes for constant."""
        leaks.hand_out(self, how)

    def __copy__(self) -> Any:
        if RECORDER.recording is not None:  # the copy stays on the tape
            return super().__copy__()
        return type(self)(self._value, self.trainable, name=self.storage.name)

    def __reduce__(self) -> Any:
        self._hand_out("pickling")
        return type(self), (self._value, self.trainable, self.name)


def _refuse_inplace(symbol: str, method: str) -> Any:
    def refuse(self: Any, other: Any) -> Any:
        raise VariableError(
            f"'{symbol}' on a Variable would replace it by a plain value.",
            fix=f"Use v.{method}(...) to change it, or v = v {symbol[:-1]} ... for a new value.",
        )

    return refuse


for _name, _symbol, _method in (
    ("iadd", "+=", "assign_add"), ("isub", "-=", "assign_sub"), ("imul", "*=", "assign"),
    ("itruediv", "/=", "assign"), ("ipow", "**=", "assign"), ("ifloordiv", "//=", "assign"),
    ("imod", "%=", "assign"), ("imatmul", "@=", "assign"),
):  # fmt: skip
    setattr(Variable, f"__{_name}__", _refuse_inplace(_symbol, _method))

Variable.result_class = TracedArray
