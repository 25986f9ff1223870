"""`tf.train`: checkpoints, files that variables are saved to and restored from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError

from . import advice, averages
from .keras.optimizer import Optimizer
from .module import Module
from .refusals import refuse
from .variable import Variable

ExponentialMovingAverage = averages.ExponentialMovingAverage

#: What TensorFlow writes behind the path that leads to a variable.
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"

#: What variables are found in, beside checkpoints.
_HOLDERS = Module, Optimizer, Mapping, list, tuple


class Checkpoint:
    """Variables of modules, layers, optimizers, lists and dicts, to be saved and restored.

    The files are NumPy's ``.npz``; TensorFlow's own cannot be read.

    Parameters
    ----------
    root : module, optional
        Whose parts count as those of the checkpoint.
    **objects
        What to save, by the names under which it is restored.

    Examples
    --------
    >>> import tempfile
    >>> from tapemagic import tf
    >>> v = tf.Variable(3.0)
    >>> checkpoint = tf.train.Checkpoint(v=v)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = checkpoint.save(directory + "/ckpt")
    ...     _ = v.assign(0.0)
    ...     _ = checkpoint.restore(path)
    >>> v.numpy()
    np.float32(3.0)
    """

    def __init__(self, root: Any = None, **objects: Any) -> None:
        for name, x in {"root": root or (), **objects}.items():
            if not isinstance(x, (Variable, Iterator, *_HOLDERS)) and not isinstance(x, Checkpoint):
                raise leaks.locate(
                    TapeUseError(
                        f"{name} is a {type(x).__name__}, which nothing can be saved of.",
                        fix="Derive its class from tf.Module.",
                    )
                )
        self._root = root
        vars(self).update(objects)
        self.save_counter = Variable(0, trainable=False, dtype="int64", name="save_counter")

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Save all values, and return the path."""
        values = {key: variable.numpy() for key, variable in _variables(self, "")}
        for key, states in _states(self):
            values |= {f"{key}/{name}": state for name, state in states.items()}
        path = _file(file_prefix)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez(file, **values)
        return str(file_prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Save all values under a number, and return the path."""
        self.save_counter.assign_add(1)
        path = self.write(f"{file_prefix}-{self.save_counter.numpy()}")
        folder = Path(path).parent
        _note(folder, [*(p for p in _noted(folder) if p != Path(path).name), Path(path).name])
        return path

    def restore(self, save_path: Any, options: Any = None) -> Restored:
        """Give the variables the values that were saved; nothing is done for None.

        Raises
        ------
        TapeUseError
            If there is no such file, or something has not made its variables yet.
        """
        if save_path is None:
            return Restored([], [])
        values, left = _read(save_path), []
        known = dict(_variables(self, ""))
        for key, variable in known.items():
            if key in values:
                variable.assign(values.pop(key))
            else:
                left.append(key)
        _check_made(self, values)
        _restore_states(self, known, values)
        if values and len(left) >= len(known) - 1:  # all but the number of the checkpoint
            warn(f"Nothing was restored: saved were {', '.join(values)}.")
        return Restored(left, list(values))

    read = restore


class Restored:
    """What was restored: methods that raise if it was not all."""

    def __init__(self, left: list[str], unused: list[str]) -> None:
        self._left, self._unused = left, unused

    def assert_existing_objects_matched(self) -> Restored:
        """Raise AssertionError if a variable got no value."""
        if self._left:
            raise AssertionError(f"No value was saved for {', '.join(self._left)}.")
        return self

    def assert_consumed(self) -> Restored:
        """Raise AssertionError if a variable got no value, or a value no variable."""
        if self._unused:
            raise AssertionError(f"There is no variable for {', '.join(self._unused)}.")
        return self.assert_existing_objects_matched()

    assert_nontrivial_match = assert_existing_objects_matched

    def expect_partial(self) -> Restored:
        """Say that values may be left over."""
        return self


class CheckpointManager:
    """Checkpoints in a directory, of which the last ones are kept.

    Parameters
    ----------
    checkpoint : Checkpoint
    directory : str or path
    max_to_keep : int or None
    checkpoint_name : str
        Of the files, which have a number behind it.
    """

    def __init__(
        self, checkpoint: Checkpoint, directory: Any, max_to_keep: int | None,
        checkpoint_name: str = "ckpt",
    ) -> None:  # fmt: skip
        self.checkpoint, self.directory = checkpoint, str(directory)
        self._name, self._most = checkpoint_name, max_to_keep

    @property
    def checkpoints(self) -> list[str]:
        """Paths of those that are there, the oldest first."""
        return [str(Path(self.directory) / name) for name in _noted(Path(self.directory))]

    @property
    def latest_checkpoint(self) -> str | None:
        """Path of the last one, None if there is none."""
        return latest_checkpoint(self.directory)

    def save(self, checkpoint_number: Any = None, **settings: Any) -> str:
        """Save a checkpoint, remove what is too old, and return the path."""
        if checkpoint_number is not None:
            self.checkpoint.save_counter.assign(int(plain(checkpoint_number)) - 1)
        path = self.checkpoint.save(Path(self.directory) / self._name)
        known = _noted(Path(self.directory))
        kept = known if self._most is None else known[-self._most :]
        for name in set(known) - set(kept):
            _file(Path(self.directory) / name).unlink(missing_ok=True)
        _note(Path(self.directory), kept)
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the last checkpoint, and return its path, if there is one."""
        self.checkpoint.restore(self.latest_checkpoint)
        return self.latest_checkpoint


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """Return the path of the last checkpoint that was saved to a directory, None without one."""
    if latest_filename not in (None, "checkpoint"):
        refuse(f"latest_filename={latest_filename!r} is not provided.", "Leave it out.")
    names = _noted(Path(checkpoint_dir))
    return str(Path(checkpoint_dir) / names[-1]) if names else None


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return the names and shapes of what was saved."""
    values = _read(ckpt_dir_or_file)
    return sorted((key + _VALUE, list(value.shape)) for key, value in values.items())


# ------------------------------------------------------------------------------- what is saved


def _parts(holder: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of what an object holds, if it is one that holds variables."""
    if isinstance(holder, (Module, Checkpoint)):
        held = dict(vars(holder))
        if isinstance(holder, Checkpoint):
            yield from _parts(held.pop("_root"))
        # `dense/kernel`, and not the place in a layer's own list
        yield from sorted(held.items(), key=lambda item: (item[0].startswith("_"), item[0]))
    elif isinstance(holder, Optimizer):
        yield from holder.named_variables().items()
    elif isinstance(holder, Mapping):
        yield from ((str(key), x) for key, x in holder.items())
    elif isinstance(holder, (list, tuple)):
        yield from ((str(i), x) for i, x in enumerate(holder))


def _objects(holder: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield all objects that are reached, each with the first path that leads to it."""
    for name, x in _parts(holder):
        if isinstance(x, Iterator):
            raise leaks.locate(
                TapeUseError(
                    f"{path}{name} is an iterator, whose place cannot be saved.",
                    fix="Leave it out of the checkpoint.",
                )
            )
        if id(x) not in seen:
            seen.add(id(x))
            yield path + name, x
            if not isinstance(x, Variable):
                yield from _objects(x, f"{path}{name}/", seen)


def _variables(holder: Any, path: str) -> Iterator[tuple[str, Variable]]:
    return ((key, x) for key, x in _objects(holder, path, set()) if isinstance(x, Variable))


def _states(checkpoint: Checkpoint) -> Iterator[tuple[str, dict]]:
    """Yield what optimizers remember of each variable, under the path of the variable."""
    paths = {id(x): key for key, x in _variables(checkpoint, "")}
    for key, x in _objects(checkpoint, "", set()):
        if isinstance(x, Optimizer):
            for variable, state in x._states.values():
                if state and id(variable) not in paths:
                    raise leaks.locate(
                        TapeUseError(
                            f"{key} remembers something of {variable.name}, which is not saved.",
                            fix="Pass the model, too: tf.train.Checkpoint(model=..., ...).",
                        )
                    )
                yield f"{key}/of/{paths.get(id(variable))}", state


def _restore_states(checkpoint: Checkpoint, known: dict, values: dict) -> None:
    for key, x in _objects(checkpoint, "", set()):
        if isinstance(x, Optimizer):
            for name in [name for name in values if name.startswith(f"{key}/of/")]:
                path, _, what = name.removeprefix(f"{key}/of/").rpartition("/")
                if path in known:
                    x._state_of(known[path])[what] = values.pop(name)


def _check_made(checkpoint: Checkpoint, values: dict) -> None:
    """Raise if something without variables stands where values were saved.

    TensorFlow gives them to the variables when they are made; here they would be lost.
    """
    for key, x in _objects(checkpoint, "", set()):
        own, way = f"{key}/", "Call it once before, so that it makes them."
        if isinstance(x, Optimizer):
            own, way = f"{key}/own/", "Call its build(model.trainable_variables) before."
        elif not isinstance(x, Module) or x.variables:
            continue
        if any(name.startswith(own) for name in values):
            raise leaks.locate(
                TapeUseError(f"{key} has no variables yet that could be restored.", fix=way)
            )


# ----------------------------------------------------------------------------------- the files


def _file(path: Any) -> Path:
    return Path(f"{path}.npz")


def _read(path: Any) -> dict[str, np.ndarray]:
    """Return what was saved, from a file or from the last one of a directory."""
    path = latest_checkpoint(path) if Path(path).is_dir() else path
    if path is None or not _file(path).is_file():
        raise leaks.locate(
            TapeUseError(
                f"No checkpoint of tapemagic is saved as {path}.",
                fix="Use what save(...) returned; TensorFlow's own files cannot be read.",
            )
        )
    with np.load(_file(path), allow_pickle=False) as saved:
        return dict(saved)


def _noted(folder: Path) -> list[str]:
    """Return the names of the checkpoints that a directory's list says are there."""
    listed = folder / "checkpoint"
    text = listed.read_text(encoding="utf-8") if listed.is_file() else ""
    return re.findall(r'^all_model_checkpoint_paths: "(.+)"$', text, re.MULTILINE)


def _note(folder: Path, names: list[str]) -> None:
    lines = [f'model_checkpoint_path: "{names[-1]}"'] if names else []
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    (folder / "checkpoint").write_text("\n".join(lines) + "\n", encoding="utf-8")


__getattr__ = advice.missing("tf.train")
