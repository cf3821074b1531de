"""What answers for a network that takes the tokens of a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.runner import Batch, NetworkRunner


class TextRunner(NetworkRunner):
    """A NetworkRunner that can be given texts where the network takes tokens: those of a data set, which are not
    encoded before anybody knows with which vocabulary."""

    def outputs(self, batch: Batch) -> Any:
        """As of a NetworkRunner.

        Args:
            batch: Tokens [examples, length], or texts [examples].
        """
        array = np.asarray(batch)
        return super().outputs(self.task.encode_batch(array) if array.dtype.kind in "OUT" else array)  # pyright: ignore
