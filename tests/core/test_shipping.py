"""What a run made becomes the weights of a plugin."""

from dataclasses import replace

import numpy as np
import pytest
from training_helpers import config_of

from layerwise import jobs, open_workspace, shipping, stored_plots
from layerwise.errors import RunError
from layerwise.evaluation import evaluate_version
from layerwise.inspection import Inspector
from layerwise.plots import Line, LinePlot, Picture, Pictures, Row, Table, Text
from layerwise.runner import make_runner
from layerwise.runs import RunStore
from layerwise.serving.loading import Loaded
from layerwise.versions import read_version
from layerwise.weights import read_arrays, read_record, save_arrays


@pytest.fixture
def trained(snapshot, spec, home):
    """A run of two epochs that has finished, in the test's own home."""
    run = jobs.start(RunStore(home), spec, config=config_of(spec, num_epochs=2))
    assert list(jobs.follow(run))[-1]["event"] == "finished", run.log_text()
    return run


@pytest.mark.slow
def test_what_is_shipped_is_measured_as_it_is_shipped(trained, spec, home, tmp_path):
    folder = tmp_path / "shipped"
    with open_workspace(home) as workspace:
        record = shipping.ship(workspace, trained.id[-4:], folder)
        version = read_version(spec, trained.variant, "shipped", folder)
        measured = evaluate_version(workspace.registry.snapshot(), version)
    made, shipped = read_arrays(trained.version_folder), read_arrays(folder)
    assert made.keys() == shipped.keys()
    for name, array in made.items():
        if array.dtype.kind == "f":
            assert shipped[name].dtype == np.float16
            np.testing.assert_allclose(shipped[name], array, rtol=1e-3, atol=1e-6)
        else:
            np.testing.assert_array_equal(shipped[name], array)
    assert record == read_record(folder)
    assert record["measured"]["split"] == "test"
    assert record["measured"]["metrics"] == pytest.approx(measured["metrics"])
    assert record["measured"]["of"]["weights"] == record["sha256"]
    assert record["measured"]["of"].keys() == {"weights", "setup", "examples"}, "the data of toy/bars have no files"
    assert record["cpu_seconds"] > record["measured"]["cpu_seconds"] > 0
    assert record["data"]["folder"] is None
    assert record["bytes"] < read_record(trained.version_folder)["bytes"]


@pytest.mark.slow
def test_figures_that_are_right_stay_and_others_are_replaced(trained, spec, home, tmp_path):
    folder = tmp_path / "shipped"
    with open_workspace(home) as workspace:
        made = shipping.ship(workspace, trained.id, folder)
        snapshot, version = workspace.registry.snapshot(), read_version(spec, trained.variant, "shipped", folder)
        measured = {name: value for name, value in made["measured"].items() if name not in ("of", "cpu_seconds")}
        (metric, value), *others = measured["metrics"].items()
        measured["metrics"] = {metric: value + 1e-6, **dict(others)}
        interval = {**measured["interval"], metric: made["measured"]["interval"][metric]}
        older = {**made, "measured": {**measured, "interval": interval}}
        assert shipping.measured_again(snapshot, replace(version, record=older)) == ""
        kept = read_record(folder)["measured"]
        assert kept["metrics"] == older["measured"]["metrics"]
        assert kept["of"] == made["measured"]["of"]
        wrong = {**made, "measured": {**made["measured"], "metrics": {metric: 0.123}}}
        assert f"{metric} is {value:.6g} and not 0.123" in shipping.measured_again(
            snapshot, replace(version, record=wrong)
        )
        found = read_record(folder)
        assert found["measured"]["metrics"] == pytest.approx(made["measured"]["metrics"])
        assert {name: found[name] for name in ("sha256", "config", "cpu_seconds")} == {
            name: made[name] for name in ("sha256", "config", "cpu_seconds")
        }


def pictures(plots):
    """Caption and bytes of all pictures in rows of them."""
    found = [picture for plot in plots if isinstance(plot, Row) for part in plot.plots for picture in part.pictures]
    as_bytes = [p.pixels if p.pixels.dtype == np.uint8 else np.rint(255 * np.clip(p.pixels, 0, 1)) for p in found]
    return [(picture.caption, pixels.tolist()) for picture, pixels in zip(found, as_bytes, strict=True)]


@pytest.mark.slow
def test_what_takes_long_to_see_is_shipped_too(snapshot, spec, home, tmp_path, monkeypatch):
    run = jobs.start(RunStore(home), spec, config=config_of(spec, num_epochs=1, filters=4))
    assert list(jobs.follow(run))[-1]["event"] == "finished", run.log_text()
    folder = tmp_path / "shipped"
    with open_workspace(home) as workspace:
        shipping.ship(workspace, run.id, folder)
    version = read_version(spec, run.variant, "shipped", folder)
    loaded = Loaded(spec, version, make_runner(spec, version))
    looking = Inspector(loaded, snapshot)
    assert {"report", "patches", "features"} == stored_plots.read(folder).keys()
    monkeypatch.setattr(stored_plots, "read", lambda _: {})
    computing = Inspector(loaded, snapshot)
    for name in ("patches", "features"):
        (at_once,) = looking.look(name)
        assert pictures(at_once) == pictures(list(computing.look(name))[-1]) != []
        assert len(list(looking.look(name, settings={"channels": 2}))) > 1, "other settings are computed"


def test_plots_count_for_their_own_weights_only(tmp_path):
    shown = [
        Text(text="seen"),
        Table(columns=("class", "count"), rows=[("cat", 3)]),
        LinePlot(lines=(Line(x=(0, 1), y=(0, 1), kind="dashed"),), x_range=(0.0, 1.0)),
        Row(plots=(Pictures(pictures=[Picture(pixels=np.eye(3), heat=np.eye(3))]),)),
    ]
    save_arrays({"w": np.zeros(3)}, tmp_path, {})
    stored_plots.write({"patches": shown, "report": shown[:1]}, tmp_path)
    assert stored_plots.read(tmp_path).keys() == {"patches", "report"}
    assert stored_plots.read(tmp_path, "report", "features").keys() == {"report"}, "of those that are there"
    found = stored_plots.read(tmp_path)["patches"]
    assert found[0].text == "seen"
    assert list(found[1].rows) == [["cat", 3]]
    assert (found[2].lines[0].kind, tuple(found[2].x_range)) == ("dashed", (0.0, 1.0))
    np.testing.assert_array_equal(found[3].plots[0].pictures[0].pixels, 255 * np.eye(3))
    np.testing.assert_array_equal(found[3].plots[0].pictures[0].heat, np.eye(3))
    save_arrays({"w": np.ones(3)}, tmp_path, {})
    assert stored_plots.read(tmp_path) == {}
    (tmp_path / stored_plots.FILE).write_bytes(b"torn")
    assert stored_plots.read(tmp_path) == {}
    assert stored_plots.read(tmp_path / "nowhere") == {}


def test_a_run_without_weights_is_not_shipped(snapshot, spec, home, tmp_path):
    run = RunStore(home).create(spec, None, spec.variant().config)
    with open_workspace(home) as workspace, pytest.raises(RunError, match="no weights to ship"):
        shipping.ship(workspace, run.id, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.slow
def test_the_command_says_what_it_shipped_or_why_it_did_not(trained, tmp_path, capsys):
    folder = tmp_path / "shipped"
    assert shipping.main([trained.id, str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{folder}: {read_record(folder)['bytes']} bytes; test split of ")
    assert shipping.main(["nobody", str(folder)]) == 1
    assert "There is no run 'nobody'" in capsys.readouterr().err
    assert shipping.main([]) == 2
    assert "usage:" in capsys.readouterr().err
    assert shipping.main(["--measure", "vision/faces"]) == 0
    assert capsys.readouterr().out == "vision/faces:default: its card says how it was measured\n"
    assert shipping.main(["--measure", "toy/bars"]) == 1
    assert "nothing that is shipped" in capsys.readouterr().err
