"""A version that was trained on a user's own table: its gradients are those of the user's rows."""

import numpy as np
import pytest
import sample_models as samples
from test_inspection_inspector import Desk

from layerwise.inspection import open_inspector
from layerwise.networks import dense_network
from layerwise.plots import BarPlot
from layerwise.predictor import Predictor
from layerwise.tasks import Column, TabularClassification
from layerwise.versions import VersionStore


@pytest.fixture
def inspector(tmp_path):
    random = np.random.default_rng(0)
    rows = random.random((60, 2))
    lines = [f"{a:.3f},{b:.3f},{'big' if a + b > 1 else 'small'}" for a, b in rows]
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(["width,height,label", *lines]))
    shipped = TabularClassification(labels=("yes", "no"), columns=(Column(name="age", kind="number"),))
    spec = samples.spec_of("sample/rows", task=shipped, build=build)
    own = shipped.read_folder(table).task
    model = build(None, own)
    record = {"task": own.parameters(), "data": {"folder": str(table)}}
    samples.promoted(tmp_path, spec, model, **record)
    shelf = samples.shelf(spec)
    predictor = Predictor(shelf, VersionStore(tmp_path))
    yield open_inspector(Desk(tmp_path, shelf, predictor), spec.name)
    predictor.close()


def build(config, task):
    return dense_network((task.num_features,), (6,), output_units=len(task.labels))


def test_its_own_columns_are_explained(inspector):
    for name in ("saliency", "integrated-gradients", "occlusion"):
        *_, (_, bars) = inspector.look(name, {"row": {"width": 0.9, "height": 0.1}}, {"target": "small"})
        assert isinstance(bars, BarPlot)
        assert list(bars.labels) == ["width", "height"]


def test_its_gradients_are_those_of_its_own_rows(inspector):
    *_, (text, table, *_) = inspector.look("gradients")
    assert "examples of mine.csv (test)" in text.text
    assert [row[0] for row in table.rows] == [
        "dense_1: kernel",
        "dense_1: bias",
        "output: kernel",
        "output: bias",
    ]
