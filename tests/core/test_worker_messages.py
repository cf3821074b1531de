"""Frames come as they went, garbage is told from them, and what comes from a worker can be nothing but data."""

import os
import pickle
import subprocess
import threading
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError, LayerwiseError
from layerwise.specs import resolve
from layerwise.workers.messages import Channel, GarbageError, described, error_of, packed, unpacked

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@pytest.fixture
def ends():
    """Two channels, each at one end of the same connection; and their files, of which the third is read by the second
    channel and the fourth written by the first."""
    first, second = os.pipe(), os.pipe()
    files = [os.fdopen(first[0], "rb", 0), os.fdopen(first[1], "wb", 0)]
    files += [os.fdopen(second[0], "rb", 0), os.fdopen(second[1], "wb", 0)]
    yield Channel(files[0], files[3]), Channel(files[2], files[1]), files
    for file in files:
        file.close()


@settings(deadline=None)
@given(PLAIN)
def test_whatever_json_can_hold_comes_back(value):
    assert unpacked(packed(value, "The answer")) == value


@pytest.mark.parametrize("value", [OrderedDict(a=1), datetime(2024, 2, 29), Path("a"), {1, 2}, frozenset("a"), 1j])
def test_common_types_come_back(value):
    back = unpacked(packed(value, "The answer"))
    assert (type(back), back) == (type(value), value)


class Tensor:
    """What networks give: not an array, but it can become one."""

    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)


class Deadly:
    def __reduce__(self):
        return os._exit, (1,)


def test_tensors_and_kinds_of_arrays_become_arrays(tmp_path):
    mapped = np.memmap(tmp_path / "array", np.uint8, "w+", shape=(2,))
    tensor, mapped = unpacked(packed([Tensor(), mapped], "The answer"))
    assert type(tensor) is type(mapped) is np.ndarray
    assert tensor.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "received"),
    [
        (Deadly(), r"a \w+\._exit"),
        (subprocess.Popen, "a subprocess.Popen"),
        (resolve, "a layerwise.specs.references.resolve"),
        (eval, "a builtins.eval"),
        (np.load, "a numpy.load"),
    ],
)
def test_what_is_no_data_is_refused_and_not_run(value, received):
    with pytest.raises(LayerwiseError, match=received):
        unpacked(pickle.dumps(value))


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps([1, 2])[:-3], b"\x80\x05."])
def test_what_cannot_be_read_is_an_error(content):
    with pytest.raises(LayerwiseError, match="The answer holds something"):
        unpacked(content)


def test_what_cannot_be_packed_is_an_error():
    for value in (threading.Lock(), (x for x in "a")):
        with pytest.raises(LayerwiseError, match="The input holds something that cannot leave its process"):
            packed(value, "The input")


def test_frames_come_as_they_went(ends):
    first, second, _ = ends
    sent = [(0, b""), (7, b"abc"), (2**63, bytes(1_000_000))]
    thread = threading.Thread(target=lambda: [first.send(*frame) for frame in sent])
    thread.start()
    assert [second.receive() for _ in sent] == sent
    thread.join()
    assert first.sending_since is None


def test_the_end_and_garbage_are_told_apart(ends):
    first, second, files = ends
    first.send(1, bytes(50))
    files[2].read(5)  # out of step
    with pytest.raises(GarbageError):
        second.receive()
    files[3].close()
    while files[2].read(100):
        pass
    assert second.receive() is None


def test_a_frame_that_breaks_off_is_the_end(ends):
    first, second, files = ends
    first.send(1, b"abc")
    whole = files[2].read(100)
    files[3].write(whole[:-1])
    files[3].close()
    assert second.receive() is None


def test_errors_are_described_by_their_nearest_kind():
    class OwnError(InputError):
        pass

    error = OwnError("No", expected="yes", received=None, remedy="say yes")
    back = error_of(*described(error))
    assert type(back) is InputError
    assert str(back) == str(error)
