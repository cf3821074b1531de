"""Controls: from what a task takes to components and back, and forms from a config's settings."""

import json
from pathlib import Path

import gradio as gr
import pytest

from layerwise.config import TrainingConfig, settings_of
from layerwise.errors import InputError, SpecError
from layerwise.tasks.fields import KINDS, Field
from layerwise_app.web.components import control, display
from layerwise_app.web.files import decode_base64
from layerwise_app.web.forms import control_of, ordered_settings, read_config
from layerwise_app.web.inputs import draw_input, read_inputs
from layerwise_app.web.sketchpad import read_drawing, show_drawing

COLUMNS = (Field(name="length", kind="number"), Field(name="kind", kind="choice", choices=("light", "heavy")))


@pytest.fixture(autouse=True)
def _blocks():
    with gr.Blocks():
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_given_and_shown_and_has_a_label(kind):
    field = Field(name="some_thing", kind=kind, choices=("a", "b"), columns=COLUMNS)
    given = control(field)
    assert given.components
    assert all(component.label for component in given.components if not isinstance(component, gr.State))
    assert len(given.show(None)) == len(given.components)
    component, show = display(field)
    assert component.label
    show(None)


def test_a_plot_is_drawn_and_told_as_json():
    from layerwise.plots import Heatmap
    from layerwise_app.values import plain

    heatmap = Heatmap(title="Where it looked", values=[[0.25, 0.75]], row_labels=("<b>",), column_labels=("x", "y"))
    _, show = display(Field(name="alignment", kind="plot"))
    assert show(None) == show([]) == ""
    assert "Where it looked" in show([heatmap])
    assert "<b>" not in show([heatmap])
    (told,) = plain([heatmap])
    assert (told["plot"], told["values"], told["row_labels"]) == ("Heatmap", [[0.25, 0.75]], ["<b>"])


def test_an_optional_text_is_shown_when_there_is_one():
    component, show = display(Field(name="note", kind="text", optional=True))
    assert not component.visible
    assert [show(text)["visible"] for text in (None, "", "Mind this")] == [False, False, True]


def test_an_optional_picture_is_shown_when_there_is_one(tmp_path):
    component, show = display(Field(name="pictures", kind="image", optional=True))
    assert not component.visible
    assert [show(value)["visible"] for value in (None, tmp_path / "map.png")] == [False, True]
    component, show = display(Field(name="picture", kind="image"))
    assert component.visible
    assert show(None) is None


def test_a_table_is_a_control_for_each_column():
    given = control(Field(name="row", kind="table", columns=COLUMNS))
    assert [type(component) for component in given.components] == [gr.Textbox, gr.Radio]
    assert given.read(["2.5", "heavy"]) == {"length": 2.5, "kind": "heavy"}
    assert given.show({"kind": "light"}) == ["", "light"]


def test_a_number_that_is_missing_is_not_zero():
    given = control(Field(name="length", kind="number"))
    assert [given.read([text]) for text in ("", " ", None, "0", "-1e3")] == [None, None, None, 0.0, -1000.0]
    assert [given.show(value) for value in (None, 0.0, 2.5)] == [[""], ["0"], ["2.5"]]
    with pytest.raises(InputError, match="This is no number"):
        given.read(["3,5 cm"])


def test_many_choices_are_a_list_and_an_optional_one_begins_empty():
    many = Field(name="kind", kind="choice", choices=tuple("abcdefgh"), optional=True)
    (component,) = control(many).components
    assert isinstance(component, gr.Dropdown)
    assert component.value is None


def test_a_text_with_a_default_is_there_already_and_may_be_emptied():
    given = control(Field(name="labels", kind="text", default="a cat, a dog"))
    assert given.components[0].value == "a cat, a dog"
    assert given.show(None) == ["a cat, a dog"]
    assert given.show("a car") == ["a car"]
    # Not the default: nobody would see what was asked.
    assert [given.read([text]) for text in ("a car", "", None)] == ["a car", "", ""]


def test_json_in_a_text_field():
    given = control(Field(name="values", kind="json"))
    assert given.read(['{"a": [1, 2]}']) == {"a": [1, 2]}
    assert given.read(["  "]) is None
    assert json.loads(given.show({"a": 1})[0]) == {"a": 1}
    with pytest.raises(InputError, match="The text is no JSON"):
        given.read(["{"])


def test_a_small_picture_is_enlarged_without_blur():
    import numpy as np

    array = np.array([[0, 255], [255, 0]], np.uint8)
    shown = control(Field(name="image", kind="image")).show(array)[0]
    assert shown.size == (300, 300)
    assert set(np.unique(np.asarray(shown))) == {0, 255}


def test_a_drawing_is_the_bytes_of_a_picture(png):
    url = show_drawing(png(100))
    assert read_drawing(url).startswith(b"\x89PNG")
    assert read_drawing("") is None
    assert read_drawing(None) is None
    assert show_drawing(None) == ""
    with pytest.raises(InputError, match="The drawing cannot be read"):
        read_drawing("/etc/passwd")


def test_files_in_base64():
    assert decode_base64("aGVs\nbG8=", "image") == b"hello"
    assert decode_base64("data:image/png;base64,aGVsbG8=", "image") == b"hello"
    with pytest.raises(InputError, match=r"image cannot be read\. Expected: a file in base64"):
        decode_base64("hello!", "image")


def test_of_an_input_with_two_kinds_the_one_that_is_looked_at_counts(png):
    given = draw_input(Field(name="image", kind="image", label="Picture", alternatives=("sketch",)))
    assert list(given.controls) == ["image", "sketch"]
    drawing = show_drawing(png(100))
    assert given.read(["image", "photo.png", drawing]) == "photo.png"
    assert given.read(["sketch", "photo.png", drawing]).startswith(b"\x89PNG")
    shown = given.show(None)
    assert shown[0] == "image"
    assert len(shown) == len(given.components)
    with pytest.raises(InputError, match=r"Picture is missing\. What to do: give one, or choose an example"):
        read_inputs([given], ["sketch", "photo.png", ""])


def test_what_is_optional_may_be_left_out():
    inputs = [
        draw_input(Field(name="text", kind="text")),
        draw_input(Field(name="times", kind="number", optional=True)),
    ]
    assert read_inputs(inputs, ["text", "ha", "number", ""]) == {"text": "ha"}
    with pytest.raises(InputError, match="Text is missing"):
        read_inputs(inputs, ["text", " ", "number", "2"])


def test_labels_come_from_names_when_there_is_none():
    assert Field(name="sepal_length", kind="number").title == "Sepal length"
    settings = {item.name: item for item in settings_of(TrainingConfig)}
    assert settings["num_epochs"].label == "Number of epochs"
    assert settings["learning_rate"].label == "Learning rate"


def test_each_setting_has_a_control_that_can_be_changed():
    for setting in settings_of(TrainingConfig):
        component = control_of(setting, setting.default)
        assert component.interactive is True
        assert component.label
        assert setting.meaning in component.info


def test_the_models_own_settings_come_first(site):
    basic, advanced = ordered_settings(site.snapshot.model("vision/fashion"))
    assert [item.name for item in basic][:2] == ["network", "filters"]
    assert {item.name for item in advanced} >= {"seed", "schedule"}
    assert len(basic) + len(advanced) == len(settings_of(site.snapshot.model("vision/fashion").config))


def test_a_form_becomes_a_config(site):
    spec = site.snapshot.model("vision/fashion")
    settings = [item for group in ordered_settings(spec) for item in group]
    values = {item.name: item.default for item in settings} | {"filters": "8, 16", "num_epochs": 3.0}
    config = read_config(spec, settings, [values[item.name] for item in settings])
    assert (config.num_epochs, config.filters) == (3, (8, 16))
    for name, value, said in (("num_epochs", 0, "out of range"), ("num_epochs", None, "cannot be read")):
        with pytest.raises(SpecError, match=rf"Number of epochs \(num_epochs\) .*{said}"):
            read_config(spec, settings, [{**values, name: value}[item.name] for item in settings])


def test_a_download_is_there_once_there_is_something_to_download():
    _, show = display(Field(name="labels", kind="file", label="Download the labels"))
    assert show(None)["visible"] is False
    shown = show({"name": "labels.png", "content": b"content"})
    assert shown["visible"]
    path = Path(shown["value"])
    assert (path.name, path.read_bytes()) == ("labels.png", b"content")
