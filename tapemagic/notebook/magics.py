"""The `%%tape` magic: its options, and what a cell that begins with it does.

`%load_ext` loads this and little else: what a taped cell needs is imported when the first one
begins.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, kwds, magic_arguments
from traitlets import Bool, Enum

from tapemagic.autodiff.positions import user_frame
from tapemagic.errors import TapeError

from .arguments import asks_for_help, parse_name, parse_path, split_line
from .completion import make_matcher
from .frames import Refusals
from .instrument import Plan, make_plan
from .progress import Progress, is_watched
from .records import ENGINES, VIEWS, Cell, Options
from .transform import TreeTransformer, transform_text

if TYPE_CHECKING:
    from .rerun import Rerun
    from .running import ShellRun
    from .session import Session


@magics_class
class TapeMagics(Magics):
    """Defaults of `%%tape`, to be set with `%config TapeMagics.show = "text"`."""

    shell: Any

    show = Enum(VIEWS, "widget", help="What a taped cell shows.").tag(config=True)
    engine = Enum(ENGINES, "own", help="Who lays out the picture.").tag(config=True)
    strict = Bool(False, help="Whether every value that leaves the tape is an error.").tag(
        config=True
    )

    shows_progress = Bool(True, help="Whether a cell that takes long shows how far it is.").tag(
        config=True
    )

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.tree_transformer = TreeTransformer(shell, self.start)
        self.matcher = make_matcher(shell.Completer, self.tape.parser, shell.user_ns)
        self.run: ShellRun | None = None
        self.refusals: Refusals | None = None
        self.progress: Progress | None = None

    @magic_arguments()
    # argparse makes "%" of "%%", and IPython puts another in front
    @kwds(usage="%%tape [SOURCE ...] [-t TARGET] [OPTION ...]")
    @argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help='Variables to differentiate by: names, model.W1, params["W1"]. Without any: the '
        "Variables that the cell reads, or else its float arrays and numbers.",
    )
    @argument(
        "-t",
        "--target",
        help="What to differentiate. Without it: the expression at the end of the cell, or else "
        "the name assigned last that depends on a source.",
    )
    @argument("-o", "--output", default="tape", help="Name for the tape (default: tape).")
    @argument(
        "--show",
        choices=VIEWS,
        metavar="VIEW",
        help="What to show: widget, static, text or none (default: widget).",
    )
    @argument(
        "--strict", action="store_true", help="Make every value that leaves the tape an error."
    )
    @argument("--check", action="store_true", help="Compare with finite differences.")
    @argument("--jacobian", action="store_true", help="Show the Jacobian of the target.")
    @argument(
        "--order",
        type=int,
        choices=(1, 2),
        default=1,
        metavar="ORDER",
        help="2: show the Hessian as well.",
    )
    @argument("--code", action="store_true", help="Show the gradient as NumPy source.")
    @argument(
        "--engine",
        choices=ENGINES,
        metavar="ENGINE",
        help="Layout of the picture: own or dot, which is Graphviz (default: own).",
    )
    @argument("-h", "--help", action="store_true", help="Show this help, and run nothing.")
    @no_var_expand
    @cell_magic
    def tape(self, line: str, cell: str) -> Any:
        """Record the cell, and show its operations and the gradient of each source.

        The cell runs exactly once, as ordinary NumPy, and leaves its names as NumPy does; one
        name is added, `tape`, to ask for further gradients:

            %%tape w b -t loss
            y = x @ w + b
            loss = np.mean((y - target) ** 2)

            tape.gradient("loss", ["w", "b"])
        """
        return self.run_text(line, cell)

    @no_var_expand
    @line_magic("tape")  # type: ignore[arg-type]  # its annotation knows no name
    def tape_line(self, line: str) -> Any:
        """Stand for `%%tape` in the text of a cell that runs; on a line of its own it is an error.

        The magic is `%%tape`, on the first line of a cell and before all other lines:

            %%tape w b -t loss
            y = x @ w + b
            loss = np.mean((y - target) ** 2)

        `%%tape?` tells its options.
        """
        if asks_for_help(line):
            return self.shell.run_line_magic("pinfo", "%tape")
        raise UsageError("%%tape belongs on the first line of a cell, before all other lines")

    # ---------------------------------------------------------------------- an ordinary cell

    def start(self, plan: Plan, line: str) -> None:
        """Begin the tape of the cell that is running: its first statement comes here."""
        from .running import ShellRun
        from .session import Session
        from .show import has_frontend

        options = self.options(line)
        if not plan.source.names and not plan.body:
            raise UsageError("%%tape is a cell magic, but the cell body is empty.")
        if self.run is not None:
            # its end was interrupted, or a taped cell runs another one
            if self.run.session.armed:
                raise UsageError("a taped cell cannot run another taped cell")
            self.run = None
        check_output(options.output, plan, self.shell.user_ns)
        session = Session(plan, options, self.shell.user_ns, self.read_cell())
        live = options.show == "widget" and has_frontend(self.shell)
        sliders = session.scalars() if live else {}
        extras = options.check or options.order == 2
        rerun = self.prepare_rerun(session) if sliders or extras else None

        def finished() -> BaseException | None:
            return self.finish(session, rerun, sliders)

        self.run = ShellRun(self.shell, session, finished)
        self.run.start()
        self.show_progress()

    def show_progress(self) -> None:
        """Let a bar appear if the cell that has begun takes long."""
        if self.shows_progress and is_watched(self.shell):
            self.progress = Progress()
            self.progress.start()

    def prepare_rerun(self, session: Session) -> Rerun:
        """Copy what the cell starts from, for the sliders."""
        from .rerun import Rerun

        return Rerun(
            session.plan,
            session.options,
            session.tape.cell,
            session.reached,
            self.shell.user_ns,
            self.shell.compile.flags,
        )

    def read_cell(self) -> Cell:
        """Find text, number and file name of the cell that is running."""
        frame = user_frame()
        filename = frame.f_code.co_filename if frame is not None else ""
        result = self.shell.displayhook.exec_result
        raw = result.info.raw_cell if result is not None else ""
        number = result.execution_count if result is not None else None
        return Cell(cell_text(raw, self.shell), number, filename)

    def finish(
        self, session: Session, rerun: Rerun | None, sliders: dict[str, float]
    ) -> BaseException | None:
        """Differentiate and show, after the namespace has been put back.

        Returns
        -------
        BaseException or None
            Why there is no gradient, when that is an error.
        """
        from .show import show_outcome

        self.run = None
        self.shell.user_ns[session.options.output] = session.tape
        failure: BaseException | None = None
        try:
            session.differentiate()
            if session.tape.target is not None:
                from .extras import add_extras  # here, where an interrupt is looked after

                add_extras(session, rerun)
        except (Exception, KeyboardInterrupt) as problem:  # noqa: BLE001  (shown by the caller)
            failure = problem
            if isinstance(problem, UsageError | TapeError | KeyboardInterrupt):
                failure = problem.with_traceback(None)
        if self.progress is not None:
            self.progress.stop()
            self.progress = None
        show_outcome(self.shell, session, rerun, sliders)
        return failure

    # ------------------------------------------------------------ run_cell_magic and %%capture

    def run_text(self, line: str, text: str) -> Any:
        """Run a cell body given as text, as `get_ipython().run_cell_magic` does."""
        from .session import Session

        shell = self.shell
        if asks_for_help(line):
            return shell.run_line_magic("pinfo", "%%tape")
        options = self.options(line)
        # a line above the text, so that line numbers count as in the cell with its magic
        transformed = shell.transform_cell("#\n" + text)
        filename = shell.compile.cache(transformed, shell.execution_count, raw_code=text)
        statements = shell.compile.ast_parse(transformed, filename=filename).body
        plan = make_plan(statements, flags=shell.compile.flags)
        check_output(options.output, plan, shell.user_ns)
        cell = Cell(f"%%tape {line}\n{text}", shell.execution_count, filename)
        session = Session(plan, options, shell.user_ns, cell)
        extras = options.check or options.order == 2
        rerun = self.prepare_rerun(session) if extras else None
        # the value of the last expression is what the magic returns
        last = plan.body.pop() if plan.source.last else None
        module = compile_in(shell, ast.Module(plan.body, []), filename, "exec")
        value = None
        try:
            session.begin()
            self.show_progress()
            exec(module, shell.user_ns)  # noqa: S102  (the user's own cell)
            if isinstance(last, ast.Expr):
                code = compile_in(shell, ast.Expression(last.value), filename, "eval")
                value = eval(code, shell.user_ns)  # noqa: S307
        except BaseException as error:
            session.end(error)
            self.finish(session, rerun, {})
            raise
        box = {"value": value}
        session.end(None, [(box, "value")])
        failure = self.finish(session, rerun, {})
        if failure is not None:
            raise failure
        return box["value"]

    # ---------------------------------------------------------------------------- the line

    def options(self, line: str) -> Options:
        """Read the magic's line.

        Raises
        ------
        UsageError
        """
        given = self.tape.parser.parse_args(split_line(line))
        return Options(
            sources=tuple(map(parse_path, given.sources)),
            target=parse_path(given.target) if given.target else None,
            output=parse_name(given.output),
            show=given.show or self.show,
            engine=given.engine or self.engine,
            strict=given.strict or self.strict,
            check=given.check,
            jacobian=given.jacobian,
            order=given.order,
            code=given.code,
        )


def check_output(name: str, plan: Plan, names: Mapping[str, Any]) -> None:
    """Refuse a name for the tape that somebody else needs.

    Raises
    ------
    UsageError
    """
    if isinstance(names.get(name), ModuleType) or (name != "tape" and name in plan.source.names):
        raise UsageError(f"the tape cannot be left in '{name}': that name is in use")


def compile_in(shell: Any, tree: Any, filename: str, mode: str) -> Any:
    """Compile a tree with the shell's future imports."""
    return shell.compile(ast.fix_missing_locations(tree), filename, mode)


def cell_text(raw: str, shell: Any) -> str:
    """Return the text of a cell as its line numbers count: from the `%%tape` line on."""
    lines = raw.splitlines(keepends=True)
    for transform in shell.input_transformer_manager.cleanup_transforms:
        if transform is not transform_text:
            lines = transform(lines)
    for index, line in enumerate(lines):
        if re.match(r"\s*(#\s*)?%%?tape(\s|$)", line):
            return "".join(lines[index:]).rstrip("\n")
    return "".join(lines).rstrip("\n")
