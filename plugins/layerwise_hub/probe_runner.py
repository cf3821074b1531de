"""What answers for a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.runner import Batch, NetworkRunner
from layerwise_hub.probed import encoder_of

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec
    from layerwise.versions import Version


class ProbeRunner(NetworkRunner):
    """A NetworkRunner that can be given texts or pictures, as data sets have them, where the network takes what another
    one makes of them."""

    task: Any
    """A `Probed`."""

    def __init__(self, version: Version, spec: ModelSpec) -> None:
        task: Any = version.task
        if not task.is_adapted:
            # Said now rather than with the first example.
            encoder_of(task.encoder, task.digest)
        super().__init__(version, spec)

    def outputs(self, batch: Batch) -> Any:
        """As of a NetworkRunner.

        Args:
            batch: As the network takes them, or as a data set has them.
        """
        array = np.asarray(batch)
        return super().outputs(self.task.encode_batch(array) if self.task.are_raw(array) else array)
