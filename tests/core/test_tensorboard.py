"""The logs for TensorBoard, read back by its own reader."""

import os

import pytest

from layerwise import jobs

pytestmark = pytest.mark.slow


@pytest.fixture
def reader():
    """TensorBoard's reader. Without it the test is skipped, and fails where CI=true."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator


def test_training_and_validation_appear_with_the_values_of_the_history(runs, spec, reader):
    from tensorboard.util import tensor_util

    run = jobs.start(runs, spec)
    assert list(jobs.follow(run))[-1]["event"] == "finished", run.log_text()
    for part, prefix in (("train", ""), ("validation", "val_")):
        logs = reader(str(run.folder / "tensorboard" / part)).Reload()
        assert {"epoch_loss", "epoch_accuracy"} <= set(logs.Tags()["tensors"])
        for metric in ("loss", "accuracy"):
            events = logs.Tensors(f"epoch_{metric}")
            values = [float(tensor_util.make_ndarray(event.tensor_proto)) for event in events]
            assert values == pytest.approx([event[prefix + metric] for event in run.history()], rel=1e-4)
            assert [event.step for event in events] == list(range(8))
