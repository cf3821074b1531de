"""The inspector: which looks apply to which model, for shipped and for own versions, with and without data."""

from dataclasses import dataclass

import numpy as np
import pytest
import sample_models as samples
from inspection_samples import Opinions, opinion_network, residual_network

from layerwise import open_workspace
from layerwise.config import TrainingConfig, settings_of
from layerwise.errors import DataError, InputError, LayerwiseError, NotFoundError, SpecError
from layerwise.inspection import inspector as inspectors
from layerwise.inspection import open_inspector
from layerwise.plots import BarPlot, Graph, Histogram, Row, Table, Text, Tokens
from layerwise.predictor import Predictor
from layerwise.specs import resolve
from layerwise.tasks import ImageClassification
from layerwise.versions import VersionStore

ROW = {"values": [0.0, 0.1, 0.9, 1.1]}
PICTURES = ImageClassification(labels=("a", "b", "c"), size=(12, 12), channels=1)


@dataclass(frozen=True)
class Desk:
    """What an inspector needs of a workspace."""

    home: object
    registry: object
    predictor: Predictor


@pytest.fixture
def desk(tmp_path):
    """`desk(spec, model)`: a place where `model` is in use for `spec`."""
    made = []

    def make(spec, model=None, **record):
        if model is not None:
            samples.promoted(tmp_path, spec, model, **record)
        shelf = samples.shelf(spec)
        made.append(Predictor(shelf, VersionStore(tmp_path)))
        return Desk(tmp_path, shelf, made[-1])

    yield make
    for predictor in made:
        predictor.close()


def last(inspector, name, *arguments, **options):
    *_, plots = inspector.look(name, *arguments, **options)
    return plots


def texts_of(plots):
    return " ".join(plot.text for plot in plots if isinstance(plot, Text))


def test_a_dense_network_has_the_looks_that_apply_to_it(desk):
    spec = samples.NETWORK
    inspector = open_inspector(desk(spec, samples.build_grader(TrainingConfig(), spec.task)), spec.name)
    names = [look.name for look in inspector.looks()]
    assert names == ["layers", "activations", "saliency", "integrated-gradients", "occlusion", "map", "weights"]
    for look in inspector.looks():
        settings_of(look.settings)  # can be drawn as a form
        if look.name != "map":  # needs examples
            assert last(inspector, look.name, ROW)
    (target,) = [item for item in settings_of(inspector.looks()[3].settings) if item.name == "target"]
    assert target.choices == ("what it answers", *samples.LABELS)


@pytest.mark.slow
def test_every_look_into_the_shipped_network_shows_something(tmp_path):
    with open_workspace(tmp_path) as workspace:
        inspector = open_inspector(workspace, "vision/fashion:conv")
        example = resolve(workspace.registry.snapshot().model("vision/fashion").examples)()[0]
        names = [look.name for look in inspector.looks()]
        assert names == [
            *("layers", "activations", "saliency", "integrated-gradients", "grad-cam", "occlusion"),
            *("map", "patches", "features", "weights", "gradients"),
        ]
        for name in names[:6]:
            assert last(inspector, name, example.inputs)
        assert open_inspector(workspace, "vision/fashion:conv") is inspector
        dense = open_inspector(workspace, "vision/fashion:dense")
        assert "grad-cam" not in [look.name for look in dense.looks()]
    with open_workspace(tmp_path) as again:  # nothing is computed twice, whoever opened it
        assert open_inspector(again, "vision/fashion:conv") is inspector


def test_a_text_network_marks_its_words(desk):
    spec = samples.spec_of("sample/opinions", task=Opinions(), build=lambda config, task: opinion_network())
    inspector = open_inspector(desk(spec, opinion_network()), spec.name)
    for name in ("saliency", "integrated-gradients", "occlusion"):
        tokens = last(inspector, name, {"text": "a good film"}, {"target": "good"})[-1]
        assert isinstance(tokens, Tokens)
        assert list(tokens.tokens) == ["a ", "good ", "film "]


def test_a_version_trained_on_own_data_has_its_own_classes_and_data(desk, tmp_path):
    folder = tmp_path / "mine"
    for name, part in (("calm", 0), ("wild", 1)):
        for split in ("train", "test"):
            (folder / split).mkdir(parents=True, exist_ok=True)
            rows = np.random.default_rng(part).random((12, 4)) + part
            np.savetxt(folder / split / f"{name}.csv", rows, delimiter=",")
    task = samples.Grading(labels=("calm", "wild"))
    spec = samples.NETWORK
    record = {"task": task.parameters(), "data": {"folder": str(folder)}}
    inspector = open_inspector(desk(spec, samples.build_grader(TrainingConfig(), task), **record), spec.name)
    with pytest.raises(SpecError, match="calm"):
        last(inspector, "saliency", ROW, {"target": "high"})
    text, bars = last(inspector, "integrated-gradients", ROW, {"target": "wild"})
    assert "wild" in text.text
    assert isinstance(bars, BarPlot)


def test_gradients_of_the_loss_are_those_of_the_data_or_of_this_input(tmp_path):
    with open_workspace(tmp_path) as workspace:
        inspector = open_inspector(workspace, "vision/fashion:dense")
        example = resolve(workspace.registry.snapshot().model("vision/fashion").examples)()[0]
        text, table, *rows = last(inspector, "gradients", example.inputs, {"of": "this input"})
    assert "as if T-shirt/top were right" in text.text
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} >= {"dense_1: kernel", "output: bias"}
    assert all(isinstance(plot, Histogram) for row in rows for plot in row.plots)


def test_a_model_with_a_runner_of_its_own_is_looked_into_by_its_build(desk):
    class Own(samples.Centroids):
        def __init__(self, version):
            self.task = version.task

    spec = samples.spec_of("sample/own", runner=Own, data="grades")
    model = samples.build_grader(TrainingConfig(), spec.task)
    inspector = open_inspector(desk(spec, model), spec.name)
    graph = last(inspector, "layers")[-1]
    assert isinstance(graph, Graph)
    assert "dense_1" in [node.name for node in graph.nodes]
    weights = last(inspector, "weights")[0]
    kernel = next(row for row in weights.rows if row[0] == "dense_1: kernel")
    assert kernel[2] == pytest.approx(float(np.mean(model.get_layer("dense_1").get_weights()[0])), abs=1e-6)


def test_a_model_that_is_no_network_says_so(desk):
    spec = samples.spec_of("sample/centroids", runner=samples.Centroids, data="grades", build=lambda config, task: None)
    place = desk(spec, {"centroids": np.zeros([3, 4], "float32")})
    with pytest.raises(LayerwiseError, match="no Keras network"):
        open_inspector(place, spec.name)


def test_a_model_of_several_networks_shows_each(desk):
    import keras

    @keras.saving.register_keras_serializable("tests")
    class Pair(keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.reader = samples.build_grader(TrainingConfig(), samples.Grading())
            self.other = residual_network()

        def call(self, inputs):
            return self.reader(inputs)

        def inspectable(self):
            return {"reader": self.reader, "other": self.other}

    def build(config, task):
        model = Pair()
        model.build((None, 4))
        return model

    spec = samples.spec_of("sample/pair", build=build)
    inspector = open_inspector(desk(spec, build(None, None)), spec.name)
    assert inspector.networks == ("reader", "other")
    assert last(inspector, "saliency", ROW)
    assert "entry" in [node.name for node in last(inspector, "layers", network="other")[-1].nodes]
    with pytest.raises(InputError, match="another network"):
        last(inspector, "activations", ROW, network="other")
    with pytest.raises(NotFoundError, match="reader, other"):
        inspector.looks("third")


def test_what_cannot_be_shown_is_explained(desk):
    spec = samples.NETWORK
    inspector = open_inspector(desk(spec, samples.build_grader(TrainingConfig(), spec.task)), spec.name)
    with pytest.raises(NotFoundError, match="integrated-gradients"):
        last(inspector, "x-ray", ROW)
    with pytest.raises(InputError, match="no input"):
        last(inspector, "activations")
    with pytest.raises(InputError, match="Four numbers"):
        last(inspector, "activations", {"values": [1.0]})
    with pytest.raises(SpecError, match="layer"):
        last(inspector, "activations", ROW, {"layer": "nowhere"})


def test_without_real_pictures_patches_say_so_and_features_are_made_all_the_same(desk):
    spec = samples.spec_of("sample/pictures", task=PICTURES, build=lambda config, task: residual_network())
    inspector = open_inspector(desk(spec, residual_network()), spec.name)
    with pytest.raises(DataError, match="no real pictures"):
        last(inspector, "patches")
    shown = list(inspector.look("features", settings={"layer": "entry", "channels": 2}))
    assert len(shown) > 1
    assert "Step" in texts_of(shown[0])
    (row,) = shown[-1]
    assert isinstance(row, Row)
    assert [picture.caption for picture in row.plots[0].pictures] == ["channel 1", "channel 4"]
    # Kept, since it depends on nothing but the version and the settings.
    assert len(list(inspector.look("features", settings={"layer": "entry", "channels": 2}))) == 1


def test_only_the_last_few_inspectors_are_kept(desk):
    spec = samples.NETWORK
    for number in range(inspectors.KEPT_INSPECTORS + 1):
        place = desk(spec, samples.build_grader(TrainingConfig(seed=number), spec.task))
        open_inspector(place, spec.name)
    assert len(inspectors._kept) == inspectors.KEPT_INSPECTORS
