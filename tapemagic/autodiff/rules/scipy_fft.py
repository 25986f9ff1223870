"""Fourier transforms of `scipy.fft`. Imported only when it has been.

They are those of `numpy.fft` with other names for the parameters, and have its rules; the values
are SciPy's own, which keep the precision of their input. The cosine transforms are orthogonal
matrices under ``norm="ortho"``; otherwise a transform of the second kind is the adjoint of one of
the third, up to the first element (N. Ahmed, T. Natarajan, K. Rao, "Discrete cosine transform",
1974).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import fft

from tapemagic.autodiff.primitives import composite, general
from tapemagic.autodiff.twinning import twin_module

from .algebra import apply, as_array, plain, with_value
from .carrying import carry, discrete, refuse_rest, unsupported

_ADVICE = "Use the functions of np.fft, or cut it: tapemagic.stop_gradient(...)."


def _like_numpy(fun: Callable, numpys: Callable) -> None:
    """Declare that a function has the derivative of the one of NumPy with the same name."""

    def body(x: Any, **options: Any) -> Any:
        value = fun(plain(x), **options)
        known = {key: options[key] for key in ("n", "s", "axis", "axes", "norm") if key in options}
        if known.get("s") is not None and known.get("axes") is None:
            known["axes"] = tuple(range(-len(known["s"]), 0))
        return with_value(numpys(x, **known), value)

    composite(fun, body)
    carry(fun, "x")


for _name in ("fft", "rfft", "hfft", "fft2", "rfft2", "fftn", "rfftn"):
    for _prefix in ("", "i"):
        _fun = f"{_prefix}{_name}"
        _like_numpy(getattr(fft, _fun), getattr(np.fft, _fun))


_like_numpy(fft.fftshift, np.fft.fftshift)
_like_numpy(fft.ifftshift, np.fft.ifftshift)

# ------------------------------------------------------------------- cosine and sine transforms


def _transform(x: Any, name: str, **options: Any) -> Any:
    return getattr(fft, name)(x, **options)


def _transform_vjp(ct: Any, y: Any, x: Any, name: str, **options: Any) -> Any:
    """Return the transposed transform, which is the inverse of an orthogonal one."""
    inverse = name[1:] if name.startswith("i") else f"i{name}"
    return apply(_transform, ct, inverse, **options)


def _scaled(x: Any, name: str, *, kind: int, axis: int, norm: Any) -> Any:
    """Return a transform of the second or third kind, of which one element stands alone."""
    return getattr(fft, name)(x, kind, axis=axis, norm=norm)


def _scaled_vjp(ct: Any, y: Any, x: Any, name: str, *, kind: int, axis: int, norm: Any) -> Any:
    """Swap the kinds; what the second counts twice, the third counts once: cos(0), sin(pi/2)."""
    weights = np.ones(ct.shape[axis], ct.dtype)
    weights[0 if name == "dct" else -1] = 2 if kind == 2 else 0.5
    weights = np.reshape(weights, [-1 if i == axis % ct.ndim else 1 for i in range(ct.ndim)])
    options = {"kind": 5 - kind, "axis": axis, "norm": norm}
    if kind == 2:
        return apply(_scaled, ct * weights, name, **options)
    return apply(_scaled, ct, name, **options) * weights


general(_transform, _transform_vjp, name="transform")
general(_scaled, _scaled_vjp, name="transform")
_BACK = {None: "forward", "backward": "forward", "forward": "backward"}


def _trigonometric(fun: Callable, name: str) -> None:
    def body(x: Any, **options: Any) -> Any:
        for key in ("n", "s"):
            if options.pop(key, None) is not None:
                raise unsupported(fun, f"{key}=", "Cut the array, or fill it up with np.pad.")
        norm, kind = options.pop("norm", None), options.get("type", 2)
        if options.pop("orthogonalize", None) is not None:
            raise unsupported(fun, "orthogonalize=", "Leave it to norm=.")
        if norm == "ortho":
            return apply(_transform, as_array(x), name, norm="ortho", **options)
        if name.endswith("n") or kind not in (2, 3):
            raise unsupported(fun, "this type and norm", 'Pass norm="ortho", and scale it.')
        x, value = as_array(x), fun(plain(x), norm=norm, **options)
        if name.startswith("i"):
            kind, norm = 5 - kind, _BACK[norm]
        y = apply(_scaled, x, name[-3:], kind=kind, axis=options.get("axis", -1), norm=norm)
        return with_value(y, value)

    composite(fun, body)
    carry(fun, "x")


for _name in ("dct", "dst", "dctn", "dstn"):
    for _prefix in ("", "i"):
        _trigonometric(getattr(fft, f"{_prefix}{_name}"), f"{_prefix}{_name}")
for _name in ("next_fast_len", "prev_fast_len"):
    if hasattr(fft, _name):  # the second one since SciPy 1.15
        discrete(getattr(fft, _name))
refuse_rest(fft, "it has no derivative rule", _ADVICE)
twin_module(fft)
