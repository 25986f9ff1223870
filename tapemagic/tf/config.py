"""`tf.config` and devices: settings of TensorFlow's runtime, which change nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from . import advice
from .graphs import do_nothing


class PhysicalDevice(NamedTuple):
    """What computes."""

    name: str
    device_type: str


def list_physical_devices(device_type: Any = None) -> list:
    """Return the processor, and nothing else: what computes is NumPy."""
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] * (device_type in (None, "CPU"))


class _Settings:
    """A part of `tf.config`: functions that set what there is not."""

    set_memory_growth = set_intra_op_parallelism_threads = do_nothing
    set_inter_op_parallelism_threads = enable_tensor_float_32_execution = do_nothing
    enable_op_determinism = do_nothing
    list_physical_devices = staticmethod(list_physical_devices)

    def __getattr__(self, name: str) -> Any:
        return __getattr__(name)


experimental = threading = optimizer = _Settings()
run_functions_eagerly = set_soft_device_placement = set_visible_devices = do_nothing


list_logical_devices = list_physical_devices


def functions_run_eagerly() -> bool:
    """Tell that functions run line by line."""
    return True


@contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Do nothing: everything is computed by NumPy."""
    yield


__getattr__ = advice.missing("tf.config")
