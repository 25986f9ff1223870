"""Transforms of scipy.fft, where SciPy is installed."""

import numpy as np
import pytest

fft = pytest.importorskip("scipy.fft")

from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, compl = samplers(61)
sf = twin_of(fft)

ROWS = [
    *(row(with_keywords(getattr(sf, f), **k), draw(5))
      for f in ("fft", "ifft", "irfft", "hfft") for draw in (real, compl)
      for k in ({}, {"n": 7}, {"n": 4, "norm": "ortho"}, {"norm": "forward"})),
    *(row(with_keywords(getattr(sf, f), **k), real(5))
      for f in ("rfft", "ihfft") for k in ({}, {"n": 8}, {"norm": "forward"})),
    *(row(with_keywords(getattr(sf, f), axis=0), real(4, 3)) for f in ("fft", "rfft", "dct")),
    *(row(with_keywords(getattr(sf, f), **k), real(3, 4))
      for f in ("fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "irfft2", "irfftn")
      for k in ({}, {"s": (2, 5)}, {"norm": "ortho", "axes": (1, 0)})),
    row(with_keywords(sf.fftn, s=(3,)), real(2, 4)),
    *(row(with_keywords(getattr(sf, f), type=t, norm=norm), real(2, 5))
      for f in ("dct", "idct", "dst", "idst") for t in (2, 3)
      for norm in (None, "backward", "forward", "ortho")),
    *(row(with_keywords(getattr(sf, f), type=t, norm="ortho"), real(5))
      for f in ("dct", "idct", "dst", "idst") for t in (1, 4)),
    *(row(with_keywords(getattr(sf, f), type=t, norm="ortho", axes=axes), real(3, 4))
      for f in ("dctn", "idctn", "dstn", "idstn") for t in (2, 3) for axes in (None, (1,))),
    row(sf.fftshift, real(5)),
    row(with_keywords(sf.ifftshift, axes=0), real(3, 2)),
    row(lambda x: x * sf.fftfreq(5) * sf.next_fast_len(7), real(5), name="constants"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_transform(case):
    ask(case)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: sf.dct(x, type=1),
        lambda x: sf.dct(x, n=3),
        lambda x: sf.dctn(x),
        lambda x: sf.dst(x, norm="ortho", orthogonalize=False),
        lambda x: sf.fht(x, 0.1, 0.2),
        lambda x: np.real(sf.hfft2(np.outer(x, x))),
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(NoRuleError) as caught:
        tapemagic.grad(lambda x: np.sum(fun(x)))(real(5))
    assert caught.value.fix
