"""Hashes, checksums and packed bytes: of an array that nobody watches as ever, of others refused."""

import base64
import binascii
import hashlib
import struct
import zlib

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.errors import LeavesTapeError

TAKING = [
    lambda x: hashlib.md5(x, usedforsecurity=False).hexdigest(),
    lambda x: hashlib.sha256(x).hexdigest(),
    lambda x: zlib.crc32(x),
    lambda x: zlib.compress(x),
    lambda x: binascii.hexlify(x),
    lambda x: base64.b64encode(x),
    lambda x: struct.pack("2d", x[0], x[1]),
]


@pytest.mark.parametrize("taking", TAKING)
def test_of_an_array_that_is_not_watched(taking):
    expected = taking(np.array([1.5, 2.5]))
    with GradientTape() as tape:
        w = tape.watch(np.array([1.0, 2.0]))
        found = taking(np.array([1.0, 2.0]) + 0.5)
        loss = np.sum(w**2)
    assert found == expected
    np.testing.assert_array_equal(tape.gradient(loss, w), [2, 4])


@pytest.mark.parametrize("taking", TAKING)
def test_of_a_traced_one(taking):
    with (
        pytest.raises(LeavesTapeError, match="its bytes are read as they lie"),
        GradientTape() as t,
    ):
        taking(t.watch(np.array([1.0, 2.0])) * 2)
