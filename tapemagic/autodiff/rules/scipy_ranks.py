"""Filters of `scipy.ndimage` and `scipy.signal` that choose an element in each window by its rank.

They are told what they choose by asking them: of the ranks of the elements in place of these, a
filter gives the rank of the one that it chose. Of equal elements one gets the cotangent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from tapemagic.autodiff import leaks
from tapemagic.autodiff.primitives import general
from tapemagic.errors import NoRuleError

from .algebra import apply, as_array, is_complex, plain
from .carrying import carried, refuse_program, unsupported
from .gathering import scatter

_ADVICE = "Use a linear filter, or NumPy's functions of sliding windows."


def _chosen(x: Any, *, choose: Callable, beyond: float, options: dict) -> Any:
    return choose(x, **options)


def _places(x: np.ndarray, fun: Callable, beyond: float, options: dict) -> np.ndarray:
    """Return where the elements of the result come from, counted from 1; 0: from beyond the edges.

    Ranks count from that of what lies beyond, which is so 0, between the even ones.
    """
    order = np.argsort(x, axis=None, kind="stable")
    ranks = np.empty(x.size)
    ranks[order] = 2.0 * np.arange(x.size) + 1
    middle = 2 * int(np.searchsorted(x.ravel()[order], beyond))
    options = {**options, "cval": 0.0} if "cval" in options else options
    found = fun((ranks - middle).reshape(x.shape), **options)
    place = (np.rint(found).astype(np.intp) + middle - 1) // 2
    return np.where(found == 0, 0, 1 + order[np.clip(place, 0, x.size - 1)])


def _chosen_vjp(ct: Any, y: Any, x: Any, *, choose: Callable, beyond: float, options: dict) -> Any:
    refuse_program("A filter that chooses by rank")
    plain_x = plain(x)
    places = _places(plain_x, choose, beyond, options)
    padded = np.append(np.asarray(beyond, x.dtype), plain_x.ravel())
    if not np.array_equal(padded[places], plain(y)):
        raise leaks.locate(
            NoRuleError(
                f"scipy's {choose.__name__} has chosen between elements that are nan.", fix=_ADVICE
            )
        )
    return scatter(ct, places, x.shape)


general(_chosen, _chosen_vjp, kind="linear", name="rank filter")


def choosing(fun: Callable, array: str, unknown: tuple[str, ...] = ()) -> None:
    """Declare a filter; with one of the options that are `unknown` it does not only choose."""
    known = inspect.signature(fun).parameters

    def body(x: Any, **options: Any) -> Any:
        for name in unknown:
            if options.get(name) is not None:
                raise unsupported(fun, f"{name}=", _ADVICE)
        x = as_array(x)
        if is_complex(x):
            raise unsupported(fun, "complex numbers", "Filter the parts one by one.")
        beyond = float(options.get("cval", 0.0)) if "cval" in known else 0.0
        return apply(_chosen, x, choose=fun, beyond=beyond, options=options)

    carried(fun, array)(body)


for _name in ("median_filter", "percentile_filter", "rank_filter", "maximum_filter",
              "minimum_filter", "maximum_filter1d", "minimum_filter1d"):  # fmt: skip
    choosing(getattr(ndimage, _name), "input", ("output",))
for _name in ("grey_dilation", "grey_erosion", "grey_opening", "grey_closing"):
    choosing(getattr(ndimage, _name), "input", ("output", "structure"))
