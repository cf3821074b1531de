"""`vision/faces`: its networks and weights, the search, and what is shown of it."""

import json
import threading

import numpy as np
import pytest
from PIL import Image

import layerwise
from layerwise.errors import InputError
from layerwise.versions import read_version
from layerwise.weights import read_record
from layerwise_vision import faces
from layerwise_vision.faces.cascade import find_faces
from layerwise_vision.faces.networks import build
from layerwise_vision.faces.pyramid import MOST_PIXELS, Pyramid
from layerwise_vision.faces.runner import FaceRunner, blurred

EXAMPLES = {path.inputs["image"].stem: path.inputs["image"] for path in faces.examples()}
ASTRONAUT = (176, 58, 272, 178)
"""Her face, by hand."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with layerwise.open_workspace(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def runner():
    variant = faces.FACES.variant()
    return FaceRunner(read_version(faces.FACES, variant.name, "shipped", variant.weights))


def overlap(one, other):
    from layerwise.tasks.detection.boxes import iou

    return iou(np.array([one], float), np.array([other], float))[0, 0]


def astronaut():
    return Image.open(EXAMPLES["astronaut"]).convert("RGB")


def test_her_face_is_found_with_its_points(workspace):
    answer = workspace.predictor.predict("vision/faces", EXAMPLES["astronaut"])
    (face,) = answer["faces"].found
    assert overlap(face.box, ASTRONAUT) > 0.7
    points = face.points
    assert points["left_eye"][0] < points["nose"][0] < points["right_eye"][0]
    assert points["left_eye"][1] < points["nose"][1] < points["mouth_left"][1]
    # Her eyes, by hand.
    assert points["left_eye"] == pytest.approx((204, 100), abs=4)
    assert points["right_eye"] == pytest.approx((246, 103), abs=4)
    assert len(answer["crops"]) == 1
    assert json.dumps(answer["faces"].as_json())


def test_a_picture_without_faces_says_so(workspace):
    answer = workspace.predictor.predict("vision/faces", EXAMPLES["cup-of-coffee"])
    assert answer["faces"].as_text() == "Nothing was found."
    assert answer["blurred"] is None
    assert answer["crops"] == []


def test_grey_pictures_too(workspace):
    assert len(workspace.predictor.predict("vision/faces", EXAMPLES["cameraman"])["faces"].found) == 1


@pytest.mark.parametrize("side", [24, 40, 90, 600])
def test_faces_of_every_size(runner, side):
    face = astronaut().crop((116, 22, 332, 238))
    picture = Image.new("RGB", (800, 700), (90, 110, 100))
    scale = side / 110
    small = face.resize((round(216 * scale), round(216 * scale)), Image.Resampling.LANCZOS)
    picture.paste(small.crop((0, 0, 780, 690)), (10, 5))
    found = find_faces(runner.networks, picture)
    wanted = np.array([60, 36, 156, 156]) * scale + np.array([10, 5, 10, 5])
    if side < 600:
        assert len(found.scores) >= 1
        assert overlap(found.boxes[0], wanted) > 0.5
    else:
        assert found.scores[0] > 0.8


def test_many_faces_are_found_and_no_more(runner):
    face = astronaut().crop((146, 22, 302, 202))
    picture = Image.new("RGB", (1000, 640), (60, 80, 120))
    places = [(20 + 160 * column, 20 + 200 * row) for row in range(3) for column in range(6)]
    for number, place in enumerate(places):
        side = (60, 90, 130)[number % 3]
        picture.paste(face.resize((side, round(side * 1.15)), Image.Resampling.LANCZOS), place)
    assert (find_faces(runner.networks, picture).scores >= 0.8).sum() == len(places)


def test_photographs_are_turned_upright_first(workspace, tmp_path):
    turned = astronaut().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    turned.save(path, exif=exif)
    answer = workspace.predictor.predict("vision/faces", path)
    (face,) = answer["faces"].found
    assert overlap(face.box, ASTRONAUT) > 0.7
    assert answer["faces"].image.size == (512, 512)


def test_the_threshold_counts_and_is_checked(workspace):
    inputs = {"image": EXAMPLES["astronaut"], "threshold": 0.95}
    shown = workspace.predictor.predict("vision/faces", inputs)["faces"].found
    assert all(face.score >= 0.95 for face in shown)
    with pytest.raises(InputError, match="out of range"):
        workspace.predictor.predict("vision/faces", {**inputs, "threshold": 1.5})


def test_a_blurred_face_is_not_found_again(runner):
    inputs = {"image": astronaut()}
    answer = runner.run(inputs, None, threading.Event())
    hidden = answer["blurred"]
    assert hidden.size == (512, 512)
    before, after = np.asarray(astronaut()).astype(int), np.asarray(hidden).astype(int)
    assert np.abs(before - after)[90:150, 190:255].mean() > 8
    np.testing.assert_array_equal(before[300:], after[300:])
    assert runner.run({"image": hidden}, None, threading.Event())["faces"].found == ()
    assert blurred(astronaut(), ()).tobytes() == astronaut().tobytes()


@pytest.mark.parametrize("size", [(1, 40), (13, 13), (2000, 20), (64, 4000)])
def test_pictures_of_any_size_are_searched(runner, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), "uint8")
    assert len(find_faces(runner.networks, Image.fromarray(pixels)).boxes) == 0


def test_the_work_is_bounded_whatever_the_size():
    large = Pyramid(Image.new("RGB", (4000, 3000)))
    levels = [level.pixels.shape for level in large.searched(12, 18, 0.76)]
    assert levels[0][0] * levels[0][1] <= 1.01 * MOST_PIXELS
    assert min(levels[-1][:2]) >= 12
    small = next(iter(Pyramid(Image.new("RGB", (640, 480))).searched(12, 18, 0.76)))
    assert small.pixels.shape[:2] == (320, 427)


def test_windows_are_cut_where_they_are_and_grey_outside():
    pixels = np.zeros((40, 60, 3), "uint8")
    pixels[:, 30:] = 200
    pyramid = Pyramid(Image.fromarray(pixels))
    left, right, outside = pyramid.windows(np.array([[0, 0, 20, 20], [35, 5, 55, 25], [-30, 0, -10, 20]], float), 10)
    assert left.max() == 0
    assert right.min() == 200
    assert set(outside.ravel()) == {128}
    # A window over the whole of a fine pattern shows its mean and not single points of it.
    fine = np.tile(np.array([0, 254], "uint8")[None, :, None], (96, 48, 3))
    (window,) = Pyramid(Image.fromarray(fine)).windows(np.array([[0, 0, 96, 96]], float), 24)
    assert 120 <= window.min() <= window.max() <= 134


def test_the_networks_are_those_of_the_paper():
    networks = build(faces.FACES.variant().config, faces.FACES.task)
    assert [network.count_params() for network in (networks.proposal, networks.refine, networks.output_network)] == [
        6632,
        100178,
        389040,
    ]
    assert set(networks.inspectable()) == {"proposal", "refine", "output"}


def test_the_record_says_where_the_weights_come_from_and_holds_no_path():
    record = read_record(faces.FACES.variant().weights)
    assert "mtcnn 1.0.0 (MIT)" in record["data"]["source"]
    assert '"/' not in json.dumps(record)
    assert record["bytes"] < 1.1e6
    assert record["task"] == {"threshold": faces.FACES.task.threshold}, "what was measured is what answers"


def test_the_last_network_can_be_looked_into(workspace):
    from layerwise.inspection import open_inspector

    inspector = open_inspector(workspace, "vision/faces")
    assert inspector.networks[0] == "output"
    *_, plots = inspector.look("activations", {"image": EXAMPLES["astronaut"]})
    assert plots
