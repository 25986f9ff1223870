"""What to do about a gradient that is missing or zero, by the words that say why."""

from __future__ import annotations

from tapemagic.graph.marks import CUT, LEFT, PASSED_NOTHING

VALUES = "compute the target from the values themselves."
#: Words in a reason -> one thing to do; the first that fits.
ADVICE = {
    CUT: "",
    f"{LEFT} into": "Compute with arrays, and make tables of the results.",
    "as text": "Use the value itself.",
    "as a bool": f"A comparison has no slope: {VALUES}",
    "as an integer": f"An integer has no slope: {VALUES}",
    LEFT: "",
    PASSED_NOTHING: "Let its rule return a cotangent for it.",
    "no recorded operation reads": "Compute the target from it, or leave it out of the sources.",
    "the last value computed from": "Compute the target from that value.",
    "does not depend on it": "Compute the target from it, or leave it out of the sources.",
    "is a dead relu": "Give it inputs above 0, or let it leak: np.where(x > 0, x, 0.01 * x).",
    "lies outside its bounds": "Widen them, or scale what comes in.",
    "rounds to 0": "Scale its input down.",
    "flat: ": "Compute the target without it.",
    "the smallest number": "Rescale, or compute with logarithms.",
    "underflowed to 0": "Rescale, or compute with logarithms.",
}


def advised(reason: str) -> tuple[str, str]:
    """Return a reason, and what to do about it; "" where the reason says it all.

    >>> advised("left the tape at line 3 as a bool (< or >)")[1]
    'A comparison has no slope: compute the target from the values themselves.'
    """
    return reason, next((fix for words, fix in ADVICE.items() if words in reason), "")
