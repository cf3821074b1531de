"""The task of depth: colours, files and what is said of them."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from layerwise.errors import InputError, LayerwiseError, SpecError
from layerwise.tasks import DepthEstimation
from layerwise.tasks.depth_estimation import MOST_PIXELS, NEAR_TO_FAR

METRES = DepthEstimation(is_metric=True, farthest=10)
OUTDOORS = DepthEstimation(is_metric=True, farthest=80)
RELATIVE = DepthEstimation(grows_nearer=True)
RAMP = np.linspace(1, 9, 12).reshape(3, 4)


def read(answer):
    return np.asarray(Image.open(io.BytesIO(answer["map"]["content"])))


def brightness(answer):
    return np.asarray(answer["depth"].convert("L")).astype(int).ravel()


def test_near_is_light_whichever_way_the_numbers_grow():
    far = METRES.answer(RAMP)
    assert np.asarray(far["depth"])[0, 0].tolist() == list(NEAR_TO_FAR[0])
    assert np.asarray(far["depth"])[-1, -1].tolist() == list(NEAR_TO_FAR[-1])
    assert (np.diff(brightness(far)) < 0).all()
    assert (np.diff(brightness(RELATIVE.answer(RAMP))) > 0).all()
    assert (np.diff(brightness(DepthEstimation().answer(RAMP))) < 0).all()


@pytest.mark.parametrize(("task", "steps", "name"), [(METRES, 1000, "depth-mm.png"), (OUTDOORS, 100, "depth-cm.png")])
def test_the_file_of_a_metric_one_holds_distances(task, steps, name):
    answer = task.answer(RAMP)
    assert answer["map"]["name"] == name
    assert read(answer).dtype == np.uint16
    assert np.abs(read(answer) / steps - RAMP).max() <= 0.5 / steps + 1e-9
    assert "millimetres" in task.outputs[2].label or steps == 100
    # What no file of 16 bits can hold is as far as one can.
    assert read(task.answer(RAMP * 1000)).max() == 65_535
    assert read(task.answer(RAMP - 5)).min() == 0


def test_the_file_of_a_relative_one_goes_from_black_to_white():
    values = read(RELATIVE.answer(RAMP))
    assert (values.min(), values.max()) == (0, 65_535)
    assert (np.diff(values.ravel().astype(int)) > 0).all()
    assert RELATIVE.outputs[2].label.endswith("white is near)")


def test_the_range_is_told_in_metres_or_without_a_unit():
    assert (
        METRES.answer(RAMP)["summary"] == "From 1.00 m (light) to 9.00 m (dark), 5.36 m in the middle of the picture."
    )
    said = RELATIVE.answer(RAMP)["summary"]
    assert said.startswith("From 9 (light, near) to 1 (dark, far), 5.364 in the middle")
    assert "no unit" in said
    assert DepthEstimation().answer(RAMP)["summary"].startswith("From 1 (light, near) to 9 (dark, far)")


def test_a_wall_is_one_colour_and_what_is_no_number_is_said():
    flat = METRES.answer(np.full((2, 3), 4.0))
    assert len(np.unique(brightness(flat))) == 1
    assert (read(flat) == 4000).all()
    for wrong in (np.nan, np.inf):
        with pytest.raises(LayerwiseError, match="no number for some pixels"):
            METRES.answer(np.array([[1.0, wrong]]))
    assert [answer["depth"].size for answer in METRES.decode(np.zeros((2, 5, 4)) + RAMP[0])] == [(4, 5)] * 2


def test_pictures_become_ones_that_networks_can_take():
    noise = np.random.default_rng(0).integers(0, 256, (1500, 3000), "uint8")
    large = METRES.picture({"image": noise})
    assert large.mode == "RGB"
    assert MOST_PIXELS * 0.99 < large.width * large.height <= MOST_PIXELS
    assert large.width == pytest.approx(2 * large.height, abs=2)
    assert METRES.picture({"image": noise[:20, :400]}).size == (400, 20)
    with pytest.raises(InputError, match=r"too narrow.*20 times as long.*401 x 20"):
        METRES.picture({"image": noise[:20, :401]})
    for nothing in (None, b"no picture", "nowhere.png"):
        with pytest.raises(InputError):
            METRES.picture({"image": nothing})


@pytest.mark.parametrize("task", [METRES, OUTDOORS, RELATIVE, DepthEstimation()])
def test_parameters_survive_json(task):
    assert DepthEstimation().with_parameters(json.loads(json.dumps(task.parameters()))) == task


@pytest.mark.parametrize(
    "values", [{"is_metric": True, "grows_nearer": True}, {"farthest": 3.0}, {"is_metric": True, "farthest": 0}]
)
def test_a_task_that_cannot_be_is_refused(values):
    with pytest.raises(SpecError, match="DepthEstimation"):
        DepthEstimation(**values)
