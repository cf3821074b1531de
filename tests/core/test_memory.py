"""Memory that is not used goes back to the system."""

import os
import sys

import pytest

from layerwise.workers.memory import memory_of, own_memory, trim


def test_the_memory_of_a_process_is_the_same_seen_from_within_and_from_outside():
    assert memory_of(os.getpid()) == pytest.approx(own_memory(), rel=0.2)
    assert memory_of(2**22 + 1) == 0, "one that there is not"


@pytest.mark.skipif(sys.platform != "linux" or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"), reason="needs glibc")
def test_what_lies_free_between_what_is_used_is_given_back():
    kept = [bytes([number % 255 + 1]) * 2**16 for number in range(3000)]
    del kept[::2]
    before = own_memory()
    trim()
    assert own_memory() < before - 60 * 2**20
    assert len(kept) == 1500
