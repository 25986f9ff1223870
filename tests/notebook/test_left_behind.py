"""What a cell leaves half way holds plain objects: iterators, frames that a traceback keeps."""

import gc
import itertools

import pytest
from both_runs import check

from tapemagic.autodiff.traced import TracedArray
from tests.notebook.worlds import assert_same_world, run_plain, run_taped

START = "import itertools, sys\nimport numpy as np\nw = np.array([0.7, 1.3, 2.1])"
#: How an iterator is made, and what is done with its first answer.
ITERATORS = {
    "tuple": ("iter((w * 2, w * 3, w))", "np.sum(next(it))"),
    "product": ("itertools.product(w * 2, [1, w])", "next(it)[0]"),
    "repeated product": ("itertools.product([w * 2, w], repeat=2)", "np.sum(next(it)[1])"),
    "combinations": ("itertools.combinations(w * 2, 2)", "next(it)[0]"),
    "permutations": ("itertools.permutations(w * 2, 2)", "next(it)[1]"),
    "with replacement": ("itertools.combinations_with_replacement(w, 2)", "next(it)[1]"),
    "repeat": ("itertools.repeat(w * 2, 3)", "np.sum(next(it))"),
    "zip_longest": ("itertools.zip_longest(w * 2, [1], fillvalue=w[0])", "next(it)[0]"),
    "zip_longest of tuples": ("itertools.zip_longest((w, w * 2), [1])", "np.sum(next(it)[0])"),
    "cycle": ("itertools.cycle((w, w * 2))", "np.sum(next(it))"),
    "enumerate": ("enumerate((w, w * 2, w * 3))", "np.sum(next(it)[1])"),
    "chain": ("itertools.chain((w, w * 2), [w])", "np.sum(next(it))"),
    "islice": ("itertools.islice((w, w * 2, w), 0, 3, 2)", "np.sum(next(it))"),
    "accumulate": ("itertools.accumulate((w, w * 2, w))", "np.sum(next(it))"),
    "inside another": ("[zip(iter((w, w * 2)), itertools.repeat(w))][0]", "np.sum(next(it)[1])"),
}
needs_reduce = pytest.mark.skipif(
    not hasattr(itertools.count, "__reduce__") or itertools.count.__reduce__ is object.__reduce__,
    reason="from Python 3.14 on itertools does not tell where it is",
)


@needs_reduce
@pytest.mark.parametrize("name", ITERATORS)
def test_iterators_go_on_with_plain_values(name):
    made, used = ITERATORS[name]
    check(START, f"it = {made}\nout = {used}", "w")
    text = f"it = {made}\nfirst = {used}"
    taped, _ = run_taped(START, text)
    plain = run_plain(START, text)
    for world in (taped, plain):
        world["rest"] = list(itertools.islice(world["namespace"]["it"], 6))
    assert [repr(x) for x in taped["rest"]] == [repr(x) for x in plain["rest"]]
    assert not [x for x in gc.get_referents(*taped["rest"]) if type(x) is TracedArray]


@needs_reduce
def test_two_names_of_an_iterator_stay_two_names_of_it():
    text = "it = itertools.product(w, [1])\nnext(it)\nother = [it]"
    taped, _ = run_taped(START, text)
    assert taped["namespace"]["other"][0] is taped["namespace"]["it"]


def test_an_iterator_of_before_the_cell_goes_on_where_the_cell_left_it():
    setup = f"{START}\nit = iter((1.0, 2.0, 3.0))"
    taped, _ = run_taped(setup, "out = np.sum(w) * next(it)")
    assert next(taped["namespace"]["it"]) == 2.0
    assert "it" in taped["kept"]


@pytest.mark.parametrize(
    ("made", "name"),
    [("itertools.pairwise(w)", "pairwise"), ("itertools.tee(w)[0]", "tee")],
)
def test_what_cannot_be_made_anew_is_told(made, name):
    with pytest.warns(UserWarning, match=f"iterator of type {name} was left half way"):
        run_taped(START, f"it = {made}\nout = next(it)")


FUNCTION = """
def f(a):
    t = a * 2
    try:
        raise ValueError("inner")
    except ValueError as error:
        raise RuntimeError("outer") from error
"""
FRAMES = {
    "a stored exception": "try:\n    f(w)\nexcept RuntimeError as e:\n    saved = e",
    "its cause": "try:\n    f(w)\nexcept RuntimeError as e:\n    saved = [e.__cause__]",
    "one of a group": "try:\n    f(w)\nexcept RuntimeError as e:\n"
    "    saved = ExceptionGroup('all', [e])",
    "a traceback": "try:\n    f(w)\nexcept RuntimeError as e:\n    saved = e.__traceback__",
    "a frame": "def g(a):\n    t = a * 2\n    return sys._getframe()\nsaved = g(w)",
    "what ended the cell": "f(w)",
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_hold_plain_values(name):
    taped, _ = run_taped(START + FUNCTION, FRAMES[name])
    plain = run_plain(START + FUNCTION, FRAMES[name])
    frames = [found(world["namespace"].get("saved", world["raised"])) for world in (taped, plain)]
    for mine, other in zip(*frames, strict=True):
        assert mine.keys() == other.keys()
        assert [repr(mine[k]) for k in mine] == [repr(other[k]) for k in other]
        assert not [x for x in mine.values() if type(x) is TracedArray]
    assert any("t" in names for names in frames[0])
    assert frames[0][-1]["a"] is taped["namespace"]["w"]


def found(saved):
    """Return the local names of the frames of `f` or `g` behind an object."""
    if isinstance(saved, list):
        saved = saved[0]
    if isinstance(saved, BaseExceptionGroup):
        saved = saved.exceptions[0]
    if isinstance(saved, BaseException):
        saved = saved.__traceback__
    frames = []
    while saved is not None and hasattr(saved, "tb_frame"):
        frames.append(saved.tb_frame)
        saved = saved.tb_next
    frames = frames or [saved]
    return [dict(x.f_locals) for x in frames if x.f_code.co_name in "fg"]


def test_our_own_frames_are_left_alone():
    # an object of ours that refused to be made stands in one, without its attributes
    taped, _ = run_taped(START, "x = np.nditer(w, flags=['external_loop'])")
    assert taped["error"].startswith("NoRuleError")


def test_exceptions_are_the_same():
    plain, (taped, _) = (run(START + FUNCTION, "f(w)") for run in (run_plain, run_taped))
    assert_same_world(plain, taped)
