"""The map of examples: what lies near what, in which colour, and the pictures themselves."""

import keras
import numpy as np
import pytest
import sample_models as samples
from test_inspection_inspector import Desk

from layerwise.errors import DataError
from layerwise.inspection import open_inspector
from layerwise.networks import dense_network
from layerwise.picture_map import HEIGHT, WIDTH
from layerwise.plots import LinePlot, Pictures
from layerwise.predictor import Predictor
from layerwise.projections import T_SNE
from layerwise.tasks import Column, ImageClassification, TabularClassification
from layerwise.versions import VersionStore


@pytest.fixture
def inspected(tmp_path):
    """`inspected(task, model, data)`: an inspector of a version that was trained on data of the user's own."""
    predictors = []

    def make(task, model, data):
        spec = samples.spec_of("sample/own", task=task, build=lambda config, own: model)
        samples.promoted(tmp_path, spec, model, task=task.parameters(), data={"folder": str(data)})
        shelf = samples.shelf(spec)
        predictors.append(Predictor(shelf, VersionStore(tmp_path)))
        return open_inspector(Desk(tmp_path, shelf, predictors[-1]), spec.name)

    yield make
    for predictor in predictors:
        predictor.close()


def table(path, rows):
    lines = [f"{a:.3f},{b:.3f},{'big' if a + b > 1 else 'small'}" for a, b in rows]
    path.write_text("\n".join(["width,height,label", *lines]))
    return path


def test_the_users_own_rows_lie_by_their_class(inspected, tmp_path):
    random = np.random.default_rng(0)
    rows = np.concatenate([random.random((80, 2)) * 0.4, 0.6 + random.random((80, 2)) * 0.4])
    data = table(tmp_path / "mine.csv", rows)
    known = TabularClassification(labels=("yes", "no"), columns=(Column(name="age", kind="number"),))
    task = known.read_folder(data).task
    keras.utils.set_random_seed(0)  # of random weights some mix the classes
    inspector = inspected(task, dense_network((task.num_features,), (6,), output_units=2), data)
    look = next(look for look in inspector.looks() if look.name == "map")
    assert (look.settings().layer, look.settings().method) == ("activation_1", T_SNE)
    row = {"row": {"width": 0.9, "height": 0.9}}
    for settings in ({}, {"method": "the greatest differences (principal components)", "layer": "output"}):
        *_, (text, plot) = inspector.look("map", row, settings)
        assert isinstance(plot, LinePlot)
        assert "examples of mine.csv (test), coloured by what is right" in text.text
        assert int(text.text.partition("in this layer ")[2].partition("%")[0]) > 80
        across, down, *dots = plot.lines
        assert [line.label for line in dots] == ["big", "small"]
        big, small = (np.stack([line.x, line.y], axis=1).mean(axis=0) for line in dots)
        yours = np.array([down.x[0], across.y[0]])
        assert np.linalg.norm(yours - big) < np.linalg.norm(yours - small)


def test_pictures_are_seen_on_a_map_of_their_own(inspected, tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    for label, brightness in (("dark", 20), ("light", 180)):
        (tmp_path / "mine" / label).mkdir(parents=True)
        for number in range(60):
            pixels = (brightness + random.integers(0, 60, (8, 8))).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "mine" / label / f"{number}.png")
    task = ImageClassification(labels=("dark", "light"), size=(8, 8), channels=1)
    inspector = inspected(task, dense_network((8, 8, 1), (4,), output_units=2), tmp_path / "mine")
    *_, (_, plot, pictures) = inspector.look("map", {"image": random.integers(180, 240, (8, 8)).astype("uint8")})
    assert isinstance(plot, LinePlot)
    assert isinstance(pictures, Pictures)
    assert pictures.pictures[0].pixels.shape == (HEIGHT, WIDTH, 3)


def test_without_examples_there_is_a_sentence(inspected, tmp_path):
    inspector = inspected(samples.NETWORK.task, samples.build_grader(None, samples.NETWORK.task), tmp_path / "gone")
    with pytest.raises(DataError, match="too few real examples"):
        list(inspector.look("map", {"values": [0.0, 0.1, 0.9, 1.1]}))
