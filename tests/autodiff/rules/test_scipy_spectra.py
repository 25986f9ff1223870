"""Spectra of scipy.signal, and filters of scipy.signal and scipy.ndimage that choose by rank."""

import numpy as np
import pytest

signal = pytest.importorskip("scipy.signal")
ndimage = pytest.importorskip("scipy.ndimage")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic import GradientTape  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError, TapeUseError  # noqa: E402

real, compl = samplers(71)
ss, sn = twin_of(signal), twin_of(ndimage)


def spectrum(name, *draws, which=-1, **options):
    label = f"{name} {draws[0].shape} {draws[0].dtype.kind} {list(options.items())}"
    return row(lambda *xs: getattr(ss, name)(*xs, **options)[which], *draws, name=label)


def chosen(module, name, x, **options):
    label = f"{name} {x.shape} {list(options)}"
    return row(lambda x: getattr(module, name)(x, **options), x, name=label)


def sampled(name, x, *args, **options):
    label = f"{name} {x.shape} {args} {list(options)}"
    return row(lambda x: getattr(ss, name)(x, *args, **options), x, name=label)


ROWS = [
    *(sampled("resample", real(*n), count) for n in ((9,), (8,), (6, 2)) for count in (6, 9, 12)),
    sampled("resample", real(2, 7), 5, axis=1),
    row(lambda x: ss.resample(x, 6, t=np.arange(10.0))[0], real(10), name="resample with times"),
    sampled("resample_poly", real(9), 3, 2),
    sampled("resample_poly", real(12, 2), 2, 6),
    sampled("resample_poly", real(2, 8), 4, 3, axis=1),
    sampled("resample_poly", real(9), 1, 2, window=np.array([0.2, 0.5, 0.3])),
    row(lambda h, x: ss.upfirdn(h, x, 2, 3), real(3), real(7), name="upfirdn"),
    row(lambda x: ss.upfirdn([1.0, 2.0, 0.5], x, 3, axis=0), real(5, 2), name="upfirdn axis"),
    row(lambda x: ss.upfirdn([1.0, 2.0], x), compl(5), name="upfirdn"),
    sampled("decimate", real(40), 3),
    sampled("decimate", real(30), 3, ftype="fir"),
    sampled("decimate", real(40, 2), 2, 4, axis=0),
    spectrum("stft", real(12), nperseg=6),
    spectrum("stft", real(12), nperseg=5, boundary="odd", scaling="psd"),
    spectrum("stft", real(12), nperseg=5, boundary=None, padded=False),
    spectrum("stft", real(2, 12), nperseg=5, noverlap=1, nfft=7, boundary="even",
             detrend="linear"),
    spectrum("stft", real(11, 2), nperseg=4, axis=0, boundary="constant"),
    spectrum("stft", compl(10), nperseg=4),
    spectrum("spectrogram", real(12), nperseg=6),
    spectrum("spectrogram", real(2, 12), nperseg=5, noverlap=2, nfft=8, detrend=False,
             scaling="spectrum", return_onesided=False, window="hann"),
    spectrum("spectrogram", real(11, 2), nperseg=4, axis=0, mode="complex"),
    spectrum("spectrogram", real(12), nperseg=5, mode="magnitude", noverlap=2),
    spectrum("welch", real(14), nperseg=6),
    spectrum("welch", real(7), fs=2.0),
    spectrum("welch", real(11, 2), nperseg=5, axis=0, scaling="spectrum", nfft=8),
    spectrum("welch", compl(12), nperseg=4, window=np.hamming(4)),
    spectrum("periodogram", real(9)),
    spectrum("periodogram", real(9), nfft=7, window="hann", scaling="spectrum"),
    spectrum("periodogram", real(9, 2), nfft=11, detrend="linear", axis=0),
    spectrum("csd", real(12), real(12), nperseg=6),
    spectrum("csd", real(11, 2), real(11, 2), nperseg=5, axis=0),
    spectrum("csd", compl(12), compl(12), nperseg=5),
    spectrum("coherence", real(14), real(14), nperseg=6),
    chosen(sn, "median_filter", real(4, 5), size=3),
    chosen(sn, "median_filter", real(4, 5), size=4, mode="constant", cval=0.3),
    chosen(sn, "median_filter", real(4, 5), footprint=np.array([[1, 0], [1, 1]]), mode="wrap",
           origin=-1),
    chosen(sn, "percentile_filter", real(4, 5), percentile=30, size=3),
    chosen(sn, "rank_filter", real(4, 5), rank=-2, size=3, mode="constant"),
    chosen(sn, "maximum_filter", real(4, 5), size=3),
    chosen(sn, "minimum_filter", real(4, 5), size=(2, 3), mode="constant", cval=-0.2),
    chosen(sn, "maximum_filter1d", real(4, 5), size=3, axis=0),
    chosen(sn, "minimum_filter1d", real(7), size=3),
    chosen(sn, "grey_dilation", real(4, 5), size=3),
    chosen(sn, "grey_erosion", real(4, 5), footprint=np.ones((2, 2))),
    chosen(sn, "grey_opening", real(4, 5), size=2),
    chosen(sn, "grey_closing", real(4, 5), size=(2, 2), mode="constant", cval=0.1),
    chosen(ss, "medfilt", real(9), kernel_size=5),
    chosen(ss, "medfilt2d", real(4, 5), kernel_size=3),
    chosen(ss, "order_filter", real(4, 5), domain=np.ones((3, 3)), rank=2),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_spectra_and_ranks(case):
    ask(case)


def test_the_value_is_scipys_own():
    x = real(30)
    with GradientTape() as tape:
        found = ss.welch(tape.watch(x.copy()), nperseg=7)
    for one, other in zip(found, signal.welch(x, nperseg=7), strict=True):
        np.testing.assert_array_equal(np.asarray(one), other)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: ss.welch(x, nperseg=4, average="median")[1],
        lambda x: ss.csd(x, x[:5], nperseg=4)[1],
        lambda x: ss.stft(x, nperseg=4, detrend=lambda part: part)[2],
        lambda x: ss.spectrogram(x, nperseg=4, mode="phase")[2],
        lambda x: ss.resample(x, 5, window="hann"),
        lambda x: ss.resample_poly(x, 3, 2, padtype="line"),
        lambda x: ss.upfirdn([1.0, 2.0], x, mode="symmetric"),
        lambda x: ss.decimate(np.tile(x, 9), 2, zero_phase=False),
        lambda x: sn.grey_dilation(x, structure=np.ones(3)),
        lambda x: sn.maximum_filter(np.where(x > 0, x, np.nan), 3),
    ],
)
def test_refused(fun):
    with pytest.raises(NoRuleError):
        tapemagic.grad(lambda x: np.sum(np.abs(fun(x))))(real(9))


def test_what_chooses_is_no_program():
    with GradientTape(persistent=True) as tape:
        x = tape.watch(real(9))
        y = np.sum(sn.median_filter(x, 3) ** 2)
    with pytest.raises(TapeUseError, match="chooses by rank"):
        tape.program(y, x)
