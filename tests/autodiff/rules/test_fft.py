"""Discrete Fourier transforms."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

fft = np.fft
real, compl = samplers(20)
NORMS = (None, "backward", "ortho", "forward")

ROWS = [
    case
    for make in (real, compl)
    for case in [
        *(
            row(with_keywords(fun, n=n), make(length))
            for fun in (fft.fft, fft.ifft, fft.irfft, fft.hfft)
            for length in (5, 6)
            for n in (None, 3, 4, 8, 9)
        ),
        *(
            row(with_keywords(fun, norm=norm), make(5))
            for fun in (fft.fft, fft.ifft, fft.irfft, fft.hfft)
            for norm in NORMS
        ),
        *(
            row(with_keywords(fun, axis=axis, n=5), make(3, 4))
            for fun in (fft.fft, fft.ifft, fft.irfft)
            for axis in (0, 1, -2)
        ),
        *(
            row(with_keywords(fun, **keywords), make(3, 4, 5))
            for fun in (fft.fftn, fft.ifftn, fft.irfftn)
            for keywords in (
                {}, {"axes": (0, 2)}, {"axes": (2, 0)}, {"s": (4, 3), "axes": (0, 1)},
                {"s": (2, -1, 7), "axes": (0, 1, 2), "norm": "ortho"},
            )
        ),
        row(with_keywords(fft.fftn, axes=(1, 1)), make(3, 4)),
        *(
            row(with_keywords(fun, **keywords), make(2, 3, 4))
            for fun in (fft.fft2, fft.ifft2, fft.irfft2)
            for keywords in ({}, {"s": (2, 5)}, {"axes": (0, 1)}, {"norm": "forward"})
        ),
        row(fft.fftshift, make(5, 4)),
        row(with_keywords(fft.fftshift, axes=0), make(5, 4)),
        row(with_keywords(fft.ifftshift, axes=(0,)), make(5, 4)),
        row(fft.ifftshift, make(5)),
    ]
] + [
    *(
        row(with_keywords(fun, n=n, norm=norm), real(length))
        for fun in (fft.rfft, fft.ihfft)
        for length in (5, 6)
        for n, norm in ((None, None), (3, "ortho"), (4, None), (8, "forward"), (9, None))
    ),
    *(
        row(with_keywords(fft.rfftn, **keywords), real(3, 4, 5))
        for keywords in (
            {}, {"axes": (0, 2)}, {"axes": (2, 0)}, {"s": (4, 3), "axes": (0, 1)},
            {"s": (2, -1, 7), "axes": (0, 1, 2), "norm": "ortho"},
        )
    ),
    row(fft.rfft2, real(2, 3, 4)),
    row(with_keywords(fft.rfft2, s=(4, 3), axes=(1, 0)), real(3, 5)),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_transform(case):
    ask(case)
