"""Adding the `%%tape` magic to a shell, and taking it away without a trace."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from .completion import matchers_of
from .frames import Refusals
from .magics import TapeMagics
from .transform import transform_text


def load(shell: Any) -> None:
    """Add the magic to a shell; a second time changes nothing."""
    if TapeMagics.__name__ in shell.magics_manager.registry:
        return
    magics = TapeMagics(shell)
    shell.register_magics(magics)
    # what a `%%tape` below other lines comes to
    shell.register_magic_function(magics.tape_line, "line", "%tape")
    shell.input_transformers_cleanup.append(transform_text)
    shell.ast_transformers.append(magics.tree_transformer)
    if shell.Completer is not None:
        matchers_of(shell.Completer).append(magics.matcher)
    magics.refusals = Refusals(shell)
    # a kernel that is not ipykernel's, but awaits cells; that of xeus-python has tasks, and events
    is_awaited = inspect.iscoroutinefunction(shell.run_cell_async)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None and not hasattr(kernel, "do_execute") and is_awaited:
        tell_of_awaited_cells(shell, magics)


def tell_of_awaited_cells(shell: Any, magics: TapeMagics) -> None:
    """End a taped cell with `await` where no event tells of its end.

    JupyterLite's kernel awaits such a cell by itself; events of its end are those of `run_cell`.
    """
    run = shell.run_cell_async

    async def run_cell_async(*arguments: Any, **more: Any) -> Any:
        result = await run(*arguments, **more)
        if magics.run is not None:
            magics.run.after_cell(result)
        return result

    shell.run_cell_async = run_cell_async


def unload(shell: Any) -> None:
    """Take everything away again."""
    magics = shell.magics_manager.registry.pop(TapeMagics.__name__, None)
    if magics is None:
        return
    if magics.refusals is not None:
        magics.refusals.remove()
    vars(shell).pop("run_cell_async", None)
    for kind, name in (("line", "tape"), ("line", "%tape"), ("cell", "tape")):
        shell.magics_manager.magics[kind].pop(name, None)
    # the person may have taken some of these away themselves
    with contextlib.suppress(ValueError):
        shell.configurables.remove(magics)
    with contextlib.suppress(ValueError):
        shell.input_transformers_cleanup.remove(transform_text)
    with contextlib.suppress(ValueError):
        shell.ast_transformers.remove(magics.tree_transformer)
    with contextlib.suppress(ValueError, AttributeError):
        matchers_of(shell.Completer).remove(magics.matcher)
