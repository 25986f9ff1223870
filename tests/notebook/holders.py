"""What may hold an array, `h`, and how the array is read out of it again."""

START = """
import argparse, collections, contextlib, contextvars, dataclasses, functools, inspect, itertools
import queue, threading, types, weakref
from unittest.mock import Mock
import numpy as np
w, t = np.array([1.0, 2.0, 3.0]), 2.0
class Row(tuple):
    pass
"""
#: (how a holder is made, how the array in it is read)
HOLDERS = {
    "a namespace": ("h = argparse.Namespace(a=w)", "h.a"),
    "namespaces in one another": (
        "N = types.SimpleNamespace\nh = N(a=N(a=N(a=w)))", "h.a.a.a"),
    "a tuple in a dict": ("h = {'a': (1, (w, 2))}", "h['a'][1][0]"),
    "a dict of Python's": ("h = collections.UserDict(a=w)", "h['a']"),
    "a list of Python's": ("h = collections.UserList([w])", "h[0]"),
    "a chain of dicts": ("h = collections.ChainMap({}, {'a': w})", "h['a']"),
    "a queue": ("h = queue.Queue()\nh.put(w)", "h.queue[0]"),
    "a mock": ("h = Mock()\nh.a = w", "h.a"),
    "a context": ("h = contextlib.nullcontext(w)", "h.enter_result"),
    "what a thread has": ("h = threading.local()\nh.a = w", "h.a"),
    "a made dataclass": ("h = dataclasses.make_dataclass('H', ['a'])(w)", "h.a"),
    "a made class": ("h = types.new_class('H')\nh.a = w", "h.a"),
    "a metaclass": ("class M(type):\n    a = w\nclass h(metaclass=M):\n    pass", "h.a"),
    "a method of the array": ("h = w.copy", "h()"),
    "an operator of the array": ("h = w.__mul__", "h(1.0)"),
    "a read-only dict": ("h = types.MappingProxyType({'a': w})", "h['a']"),
    "a view of a dict": ("h = {'a': w}.values()", "list(h)[0]"),
    "an exception": ("h = ValueError(w)", "h.args[0]"),
    "a subclass of tuple": ("h = Row([w])", "h[0]"),
    "a slice": ("h = slice(w, None)", "h.start"),
    "a weak reference": ("h = weakref.ref(w)", "h()"),
    "a dict of weak references": ("h = weakref.WeakValueDictionary(a=w)", "h['a']"),
    "a context variable": ("h = contextvars.ContextVar('h')\nh.set(w)", "h.get()"),
    "a signature": ("h = inspect.signature(lambda a=w: a)", "h.parameters['a'].default"),
    "the call of a mock": ("h = Mock()\nh(w)", "h.call_args[0][0]"),
    "a cache": ("@functools.cache\ndef h():\n    return w\nh()", "h()"),
    "a bounded cache": ("@functools.lru_cache\ndef h():\n    return w\nh()", "h()"),
    "a bounded cache of lists": (
        "@functools.lru_cache(maxsize=2)\ndef h(i):\n    return [w, i]\nh(1), h(2), h(3)", "h(2)[0]"
    ),
    "a generator": (
        "def g():\n    a = w\n    while True:\n        yield a\nh = g()\nnext(h)", "next(h)"
    ),
    "an iterator over a list": ("l = [w, w]\nh = iter(l)\ndel l", "next(h)"),
    "lists of a chain": ("h = itertools.cycle([w])", "next(h)"),
}  # fmt: skip
#: What cannot be changed: (kind of the holder, and where it lies) -> the same.
OPAQUE = {
    "iterator": ("h = iter(w)", "sum(h)"),
    "iterator, in a generator": ("h = (x * x for x in w)", "sum(h)"),
    "iterator, in a zip": ("h = zip(w, [1, 2, 3])", "sum(a * b for a, b in h)"),
    "iterator, of a loop": (
        "def g():\n    for x in w:\n        yield x\nh = g()\nnext(h)", "sum(h)"),
    "repeat": ("h = itertools.repeat(w, 2)", "sum(x.sum() for x in h)"),
    "repeat, of tuples": ("h = itertools.repeat((w, 2), 2)", "sum(x.sum() * y for x, y in h)"),
    "flatiter": ("h = w.flat", "sum(h)"),
    "flatiter, in ndenumerate": ("h = np.ndenumerate(w)", "sum(x for _, x in h)"),
    "nditer": ("h = np.nditer(w)", "sum(float(x) for x in h)"),
    "memoryview": ("h = memoryview(w)", "h[0]"),
    "poly1d": ("h = np.poly1d(w)", "h(2.0)"),
    "MaskedArray (float64)": ("h = np.ma.array(w, copy=False)", "h.sum()"),
    "ndarray (uint8)": ("h = w.view(np.uint8)", "float(h.sum())"),
}  # fmt: skip
