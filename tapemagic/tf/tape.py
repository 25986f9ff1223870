"""Tapes, gradients of one's own and decorators in TensorFlow's spelling."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import checkpoints, cuts, forward, leaks, structure, structures, tape
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray
from tapemagic.errors import TapeUseError

from .conversion import convert_to_tensor, operand
from .tensor import Tensor, tensor_of


class UnconnectedGradients(enum.Enum):
    """What stands for the gradient of a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


def _result(value: Any) -> Any:
    """Return gradients as tensors."""
    return structures.map_leaves(lambda x: x if isinstance(x, str) else tensor_of(x), value)


class GradientTape(tape.GradientTape):
    """Record operations, and differentiate them in reverse.

    The tape of the core; its gradients are tensors.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.Variable(-2.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x ** 2
    >>> print(tape.gradient(y, x))
    tf.Tensor(-4.0, shape=(), dtype=float32)
    """

    def watch(self, tensor: Any) -> None:
        """Watch a tensor or variable, or everything in a nested structure, from here on.

        Raises
        ------
        TapeUseError
            For plain arrays and numbers: what is computed from them cannot be recorded.
        """
        for x in structures.leaves(tensor):
            if not is_traced(x):
                raise TapeUseError(
                    f"watch() was given a {type(x).__name__}, which no tape can follow.",
                    fix="Watch a tensor: x = tf.constant(...), then tape.watch(x).",
                )
        super().watch(tensor)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Return the gradient of the target with respect to each source, as tensors.

        Raises
        ------
        TapeUseError
            For a source that holds variables and is none, such as a model.
        """
        _check_sources(sources)
        if output_gradients is not None:
            listed = isinstance(output_gradients, (list, tuple)) and len(output_gradients) == 1
            if listed and is_traced(target) and is_traced(output_gradients[0]):
                (output_gradients,) = output_gradients  # of the one target, in TensorFlow's way
            output_gradients = structures.map_leaves(_core, output_gradients)
        return _result(super().gradient(target, sources, output_gradients, unconnected_gradients))

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobian of the target with respect to each source, as tensors."""
        _check_sources(sources)
        return _result(super().jacobian(target, sources, unconnected_gradients))

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobian of every row of the target in the same row of the source."""
        return _result(super().batch_jacobian(target, source, unconnected_gradients))


def _check_sources(sources: Any) -> None:
    """Raise for a model, layer or module, which would have the gradient None without a word."""
    for x in structures.leaves(sources):
        if hasattr(x, "trainable_variables"):
            raise leaks.locate(
                TapeUseError(
                    f"A source is a tensor or a variable, and not a {type(x).__name__}.",
                    fix="Use its trainable_variables.",
                )
            )


def _core(x: Any) -> Any:
    """Return a tensor as the core's own handle or plain value."""
    if not is_traced(x):
        return x
    value, id_, code = dispatch.operand(x)
    return value if id_ < 0 else dispatch.traced(value, code, id_, TracedArray)


class ForwardAccumulator(forward.ForwardAccumulator):
    """Jacobian-vector products of what is computed in its block; results are tensors.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.constant([1.0, 2.0])
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as accumulator:
    ...     y = tf.reduce_sum(x ** 3)
    >>> print(accumulator.jvp(y))
    tf.Tensor(3.0, shape=(), dtype=float32)
    """

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """Return the derivative of a value along the tangents."""
        return _result(super().jvp(primals, unconnected_gradients))


# ------------------------------------------------------------- cuts and gradients of one's own


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """Return the value as a constant: the gradient does not flow through it."""
    return _result(cuts.stop_gradient(input))


def custom_gradient(f: Callable) -> Callable:
    """Give a function a gradient of its own (decorator).

    Parameters
    ----------
    f : callable
        Returns ``(y, grad)``; ``grad(*upstream)`` gives the cotangent of every argument.

    Examples
    --------
    >>> from tapemagic import tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> x = tf.constant(100.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> print(tape.gradient(y, x))
    tf.Tensor(1.0, shape=(), dtype=float32)
    """

    @functools.wraps(f)
    def of_tensors(*args: Any, **kwargs: Any) -> Any:
        known = {dispatch.operand(x)[1] for x in args}
        start = len(RECORDER.entries)
        match f(*args, **kwargs):
            case (y, grad) if callable(grad):
                pass
            case other:
                return other  # for the core to refuse
        if max(known, default=-1) >= 0:
            _refuse_captured(f, known, start)
        y = structures.map_leaves(convert_to_tensor, y)
        results = list(y) if type(y) in (tuple, list) else [y]
        if not all(isinstance(part, Tensor) for part in results):
            raise leaks.locate(
                TapeUseError(
                    f"{_name(f)} has to return a tensor, or a tuple or list of tensors, with "
                    "its gradient function.",
                    fix="return y, lambda upstream: ...",
                )
            )

        def gradient(*upstream: Any) -> Any:
            cts = (
                tensor_of(np.zeros_like(y) if ct is None else ct)
                for y, ct in zip(results, upstream, strict=False)
            )
            return structures.map_leaves(_core, grad(*cts))

        return y, gradient

    recorded = cuts.custom_gradient(of_tensors)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return recorded(*map(operand, args), **kwargs)

    return wrapper


def grad_pass_through(f: Callable) -> Callable:
    """Return a function with the value of `f` and the gradient of its argument."""

    @custom_gradient
    def through(x: Any, *args: Any, **kwargs: Any) -> Any:
        others = (None,) * len(args)
        return f(x, *args, **kwargs), lambda upstream: (upstream, *others) if args else upstream

    return through


def _name(f: Callable) -> str:
    return getattr(f, "__name__", getattr(f, "name", "The function"))  # a layer has a name


def _refuse_captured(f: Callable, known: set[int], start: int) -> None:
    """Raise if a function read something watched that is none of its arguments.

    Its gradient function answers for the arguments alone: the rest would be missing in silence.
    """
    for entry in RECORDER.entries[start:]:
        ids = entry[4:6] if isinstance(entry[4], int) else entry[4]
        is_variable = PRIMITIVES[entry[0]] is structure.source
        if is_variable or any(0 <= id_ < start and id_ not in known for id_ in ids):
            raise leaks.locate(
                TapeUseError(
                    f"{_name(f)} reads a watched value that is not one of its arguments, and "
                    "its gradient function says nothing of it.",
                    fix="Pass it as an argument, or cut it: tf.stop_gradient(x).",
                )
            )


def recompute_grad(f: Callable) -> Callable:
    """Record a call as one node that keeps only its arguments (decorator).

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.recompute_grad(lambda x: tf.exp(x) * x)(x)
    >>> print(tape.gradient(y, x) / y)  # (exp(x) x)' = exp(x) x (1 + 1 / x)
    tf.Tensor(1.3333334, shape=(), dtype=float32)
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        @functools.wraps(f)
        def of_tensors(*args: Any) -> Any:
            return f(*map(tensor_of, args), **kwargs)

        of_tensors.__name__ = _name(f)
        return _result(checkpoints.checkpoint(of_tensors)(*map(operand, args)))

    return wrapper
