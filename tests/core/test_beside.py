"""Several models asked the same: which can be, what each says, what it costs, and what goes wrong with one of them."""

import dataclasses
import threading

import pytest
import sample_models as samples

from layerwise import Variant
from layerwise.beside import agreement, ask, check_same, described, dissenting, families, in_short, kind_of
from layerwise.errors import InputError, NotFoundError
from layerwise.runner import Runner
from layerwise.tasks import Column, ImageClassification, TabularClassification, TabularRegression

LOW = [0.1, 0.0, 1.0, 1.0]


class Slow(Runner):
    """Says how often it was asked, with a device and weights of its own."""

    device, weights_bytes = "a slide rule", 12

    def __init__(self, version):
        self.count, self.threads = 0, threading.active_count()

    def run(self, inputs, session, cancelled):
        self.count += 1
        if inputs["text"] == "BUG":
            raise ZeroDivisionError("a mistake")
        return {"text": f"{inputs['text']} {inputs.get('times', 1)}"}


SLOW = samples.spec_of("sample/slow", task=samples.Saying(), runner=Slow)
TWO = dataclasses.replace(samples.NUMPY, variants=(Variant(name="one"), Variant(name="two"), Variant(name="none")))


@pytest.fixture
def workspace(tmp_path, workspace_of):
    samples.promoted(tmp_path, TWO, {"centroids": samples.CENTROIDS}, variant="one", num_parameters=12)
    samples.promoted(tmp_path, TWO, {"centroids": samples.CENTROIDS[::-1]}, variant="two")
    return workspace_of(TWO, samples.STREAMING, SLOW)


def test_all_answer_and_are_timed_and_what_differs_is_seen(workspace):
    *steps, replies = ask(workspace, ["sample/centroids:one", "sample/centroids:two"], LOW)
    assert [in_short(reply) for reply in replies] == ["low", "high"]
    assert [reply.state for reply in replies] == ["done", "done"]
    assert all(reply.seconds > 0 and reply.num_timed == 5 for reply in replies)
    assert agreement(replies) == {"low": [0], "high": [1]}
    assert dissenting(replies) == {0, 1}, "nobody has the majority"
    states = [[reply.state for reply in step] for step in steps]
    assert states[0] == ["loading", "waiting"]
    assert ["timing", "answering"] in states, "the first answer is there before the second is asked for"
    one, other = described(replies)
    assert one["answer"]["grade"].keys() == set(samples.LABELS)
    assert (one["num_parameters"], one["where"]) == (12, "CPU")
    assert one["weights_bytes"] == workspace.predictor.version("sample/centroids:one").record["bytes"]
    assert other["version"].startswith("sample/centroids:two@")


class Counting(samples.Centroids):
    """Answers that are kept, and how often one was computed."""

    deterministic = True
    count = 0

    def run(self, inputs, session, cancelled):
        type(self).count += 1
        return super().run(inputs, session, cancelled)


def test_what_is_timed_is_computed_and_not_remembered(tmp_path, workspace_of, monkeypatch):
    monkeypatch.setattr(Counting, "count", 0)
    spec = dataclasses.replace(TWO, runner=Counting)
    for variant in ("one", "two"):
        samples.promoted(tmp_path, spec, {"centroids": samples.CENTROIDS}, variant=variant)
    workspace = workspace_of(spec)
    models = ["sample/centroids:one", "sample/centroids:two"]
    for computed in (12, 22):  # the first answers are remembered by then, as those of examples that everybody tries
        *_, replies = ask(workspace, models, LOW)
        assert [reply.num_timed for reply in replies] == [5, 5]
        assert Counting.count == computed


def test_versions_are_asked_beside_the_one_in_use(workspace, tmp_path):
    run = samples.save_version(tmp_path, TWO, {"centroids": samples.CENTROIDS[[1, 0, 2]]}, variant="one")
    models = ["sample/centroids:one", f"sample/centroids:one@{run.id}", "sample/centroids:one"]
    *_, replies = ask(workspace, models, LOW)
    assert [in_short(reply) for reply in replies] == ["low", "middle"], "the same model once"


def test_one_that_cannot_answer_stops_no_other(workspace):
    models = ["sample/centroids:none", "sample/centroids:one", "sample/centroids:two"]
    *_, replies = ask(workspace, models, LOW)
    assert [reply.state for reply in replies] == ["failed", "done", "done"]
    assert "has no weights yet" in replies[0].error
    assert dissenting(replies) == {1, 2}
    *_, replies = ask(workspace, ["sample/stream", "sample/slow"], "BUG")
    assert [reply.state for reply in replies] == ["failed", "failed"]
    assert all("a mistake in its code" in reply.error for reply in replies)


def test_an_answer_grows_and_inputs_go_to_those_who_take_them(workspace):
    steps = list(ask(workspace, ["sample/stream", "sample/slow"], {"text": "a b c", "times": 2}, repeats=2))
    partial = [step[0].answer["text"] for step in steps if step[0].answer]
    assert list(dict.fromkeys(partial)) == ["a", "a b", "a b c"]
    assert steps[-1][1].answer == {"text": "a b c 2.0"}
    assert steps[-1][1].footprint.where == "a slide rule"
    assert steps[-1][1].footprint.weights_bytes == 12
    assert steps[-1][1].num_timed == 2


def test_without_repeats_the_first_answer_is_the_time(workspace):
    *_, replies = ask(workspace, ["sample/stream", "sample/slow"], "a", repeats=0)
    assert [(reply.state, reply.num_timed) for reply in replies] == [("done", 1)] * 2
    assert dissenting(replies) == {0, 1}


def test_whoever_leaves_cancels_what_is_going_on(workspace):
    asked = ask(workspace, ["sample/stream", "sample/slow"], "a b c d")
    while next(asked)[0].answer is None:
        pass
    with workspace.predictor.using("sample/stream") as loaded:
        asked.close()
        assert loaded.runner.cancelled[0].is_set()


@pytest.mark.parametrize(
    ("models", "what"),
    [
        (["sample/slow"], "2 to 8 models"),
        (["sample/slow", "sample/slow"], "2 to 8 models"),
        (["sample/slow", "sample/centroids"], "cannot be asked the same"),
    ],
)
def test_models_that_have_nothing_in_common_are_refused(workspace, models, what):
    with pytest.raises(InputError, match=what):
        check_same(workspace, models)


def test_names_that_are_not_there_are_refused_at_once(workspace):
    with pytest.raises(NotFoundError, match="There is no model"):
        ask(workspace, ["sample/slow", "sample/gone"], "x")
    with pytest.raises(NotFoundError, match="no variant"):
        ask(workspace, ["sample/slow", "sample/centroids:gone"], "x")
    with pytest.raises(InputError, match=r"None of the models takes.*Received: colour"):
        ask(workspace, ["sample/slow", "sample/stream"], {"text": "x", "colour": "red"})


def test_families_are_those_that_take_and_say_the_same():
    columns = (Column(name="length", kind="number", mean=0.0, deviation=1.0),)
    others = (Column(name="height", kind="number", mean=0.0, deviation=1.0),)
    tasks = {
        "a/pets": ImageClassification(labels=("cat", "dog"), size=(8, 8)),
        "a/shoes": ImageClassification(labels=("boot", "clog", "pump"), size=(16, 16), channels=1),
        "a/weight": TabularRegression(columns=columns, target="grams"),
        "a/kind": TabularClassification(columns=columns, labels=("x", "y")),
        "a/other-weight": TabularRegression(columns=others, target="grams"),
        "a/echo": samples.Saying(),
    }
    found = families(samples.shelf(*(samples.spec_of(name, task=task) for name, task in tasks.items())))
    names = [[reference.name for reference in family.references] for family in found]
    assert names == [["a/pets", "a/shoes"], ["a/weight"], ["a/kind"], ["a/other-weight"], ["a/echo"]]
    assert found[0].title == "Image classification"
    assert [field.name for field in found[0].fields] == ["image"]


def test_what_acts_rather_than_answers_has_no_family():
    from layerwise.tasks import Control

    assert kind_of(Control(environment="CartPole-v1")) is None


def test_a_task_that_does_not_say_what_it_takes_has_no_family_and_spoils_no_other():
    class Silent(samples.Saying):
        type_name = "silent"

        @property
        def outputs(self):
            raise RuntimeError("a mistake of the plugin")

    found = families(samples.shelf(samples.spec_of("a/silent", task=Silent()), SLOW))
    assert [[reference.name for reference in family.references] for family in found] == [["sample/slow"]]


def test_the_weights_of_networks_of_keras_and_of_pytorch_are_counted():
    import keras

    from layerwise.serving.footprint import _weights_of

    network = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()])
    assert sum(count * size for count, size in _weights_of(network)) == 4 * (3 * 2 + 2 + 4 * 2)
    assert _weights_of(None) == _weights_of(object()) == []
    torch = pytest.importorskip("torch")
    assert sum(count * size for count, size in _weights_of(torch.nn.Linear(3, 2).half())) == 2 * (3 * 2 + 2)
