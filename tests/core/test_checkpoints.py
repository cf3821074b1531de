"""Checkpoints: whole or not there, the newest that can be read, never more than two."""

import numpy as np
import pytest

from layerwise.job_folders.checkpoints import Cadence, CheckpointFolder


def arrays(value):
    return {"a/b": np.full((3, 4), value, np.float32), "steps": np.array(value, np.int64), "bits": np.array([True])}


def save(folder, value):
    folder.save(arrays(value), {"epoch": value, "best": float("inf"), "nested": {"list": [1, None, "x"]}})


@pytest.fixture
def folder(tmp_path):
    return CheckpointFolder(tmp_path / "checkpoints")


def test_what_is_kept_comes_back_to_the_bit(folder):
    assert folder.latest() is None
    save(folder, 7)
    found = folder.latest()
    assert found.state == {"epoch": 7, "best": float("inf"), "nested": {"list": [1, None, "x"]}}
    for name, array in arrays(7).items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_newest_two_are_kept(folder):
    for value in range(1, 13):
        save(folder, value)
        assert folder.latest().state["epoch"] == value
    assert [path.name[:6] for path in sorted(folder.folder.iterdir())] == ["000011", "000012"]


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "rename"])
def test_a_torn_or_altered_one_is_passed_over_for_the_one_before(folder, harm, caplog):
    for value in (1, 2, 3):
        save(folder, value)
    newest = sorted(folder.folder.iterdir())[-1]
    data = bytearray(newest.read_bytes())
    if harm == "rename":
        newest.rename(newest.with_name(newest.name.replace(newest.name[7:11], "0000")))
    else:
        data[len(data) // 2] ^= 1
        newest.write_bytes({"cut": data[: len(data) // 2], "flip": bytes(data), "empty": b""}[harm])
    assert folder.latest().state["epoch"] == 2
    assert "passed over" in caplog.text
    save(folder, 4)
    assert folder.latest().state["epoch"] == 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_save_that_dies_leaves_the_former_ones_and_its_rest_is_removed(folder, error, monkeypatch):
    save(folder, 1)
    save(folder, 2)

    def die(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("layerwise.paths.os.fsync", die)
        with pytest.raises(error if isinstance(error, type) else OSError):
            save(folder, 3)
    assert folder.latest().state["epoch"] == 2
    (folder.folder / ".000003-x.safetensors.0123456789abcdef").write_bytes(b"what a killed process leaves")
    save(folder, 3)
    assert sorted(path.name[:6] for path in folder.folder.iterdir()) == ["000002", "000003"]


def test_it_is_due_after_the_interval_but_never_for_more_than_two_percent_of_the_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("layerwise.job_folders.checkpoints.time.monotonic", lambda: now[0])
    cadence = Cadence(10.0)
    assert not cadence.is_due()
    now[0] = 104.0
    assert not cadence.is_due()
    assert cadence.is_due(4.0)
    now[0] = 110.0
    assert cadence.is_due()
    now[0] = 111.0
    cadence.did(110.0)  # it took a second, which is two percent of fifty
    now[0] = 160.9
    assert not cadence.is_due(0.0)
    now[0] = 161.0
    assert cadence.is_due()
