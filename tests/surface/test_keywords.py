"""Every keyword of every function is followed, or refused aloud; none is silently ignored."""

import ast
import re

import numpy as np
import pytest
from surface.comparing import follow, gradients, run_plain
from surface.entries import INPUTS, Program, parse
from surface.keywords.tables import FAMILIES

from tapemagic.autodiff.calls.signatures import signature_of
from tapemagic.autodiff.primitives import RULES, Composite, Primitive
from tapemagic.errors import TapeError

PROGRAMS = [
    pytest.param(text, id=f"{family}-{text}")
    for family, texts in FAMILIES.items()
    for text in texts
    # in every version that has the functions
    if all(hasattr(np, name) for name in re.findall(r"\bnp\.(\w+)", text))
]
#: Refused aloud, and why.
REFUSED = {
    "np.clip(A, -0.5, r, where=A > 0, out=B * 1.0)": "np.where says it better",
    "x.clip(-0.5, where=x < 1, out=y * 1.0)": "the same",
    "np.nan_to_num(x / (x > 0), copy=True, nan=s, posinf=2.0, neginf=-2.0)": "use np.where",
    "(x + 1j * y).view(np.float64)": "its bytes are read in another way: use .real and .imag",
}
SINGLE = {"step": 2**-6, "rtol": 1e-3, "atol": 1e-4}


def inputs_for(program):
    return {name: np.copy(INPUTS[name])[()] for name in program.names}


@pytest.mark.parametrize("text", PROGRAMS)
def test_keyword(text):
    program = Program(text)
    inputs = inputs_for(program)
    try:
        run_plain(program, inputs)
    except Exception as error:
        with pytest.raises(type(error)):
            gradients(program, inputs)
        return
    if text in REFUSED:
        with pytest.raises(TapeError) as error:
            gradients(program, inputs)
        assert error.value.fix
        return
    follow(program, inputs, **SINGLE if "float32" in text else {})


#: Questions and sinks: a plain value goes in, with whatever keywords.
SHOWN = {
    "shape", "ndim", "size", "broadcast_shapes", "iscomplexobj", "isrealobj", "result_type",
    "common_type", "can_cast", "min_scalar_type", "shares_memory", "may_share_memory",
    "einsum_path", "array2string", "array_repr", "array_str", "save", "savetxt", "savez",
    "savez_compressed",
}  # fmt: skip
FOLLOWED = [
    fun
    for fun, rule in RULES.items()
    if isinstance(rule, (Primitive, Composite))
    and (getattr(fun, "__module__", None) or "").startswith("numpy")
    and not isinstance(fun, (np.ufunc, type))
    and getattr(rule, "kind", "") != "constant"
    and fun.__name__ not in SHOWN
]


#: Of older versions: other names, and what has no effect any more.
DEPRECATED = (
    {"interpolation", "bias", "ddof", "newshape"}
    if "interpolation" in signature_of(np.quantile).parameters
    else set()
)


def named_parameters():
    """For every function that a program calls: the parameters that the programs give it."""
    given = {}
    for param in PROGRAMS:
        for node in ast.walk(parse(param.values[0])):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("np.")):
                continue
            fun = eval(ast.unparse(node.func), {"np": np})
            try:
                parameters = list(signature_of(fun).parameters)
            except (TypeError, ValueError):
                continue
            names = given.setdefault(fun, set())
            names.update(parameters[: len(node.args)], (key.arg for key in node.keywords))
    return given


GIVEN = named_parameters()


@pytest.mark.parametrize("fun", FOLLOWED, ids=lambda fun: f"{fun.__module__}.{fun.__name__}")
def test_every_parameter_is_in_a_program(fun):
    parameters = signature_of(fun).parameters.values()
    optional = {
        parameter.name for parameter in parameters if parameter.default is not parameter.empty
    }
    assert optional - DEPRECATED <= GIVEN.get(fun, set())
