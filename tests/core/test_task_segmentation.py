"""Segmentation: tiles, heads, drawings, and the task on pictures of any size."""

import numpy as np
import pytest
from PIL import Image
from segmentation_samples import CELLS, TASK

from layerwise.errors import InputError, SpecError
from layerwise.tasks import ImageSegmentation
from layerwise.tasks.segmentation import metrics
from layerwise.tasks.segmentation.contrast import stretched
from layerwise.tasks.segmentation.drawing import area_rows, instance_rows, label_png, overlay
from layerwise.tasks.segmentation.heads import Areas, Instances, inner_distances, narrow_places
from layerwise.tasks.segmentation.tiles import Tiling
from layerwise.teaching.lessons import in_turn


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 200), (64, 64), (65, 64), (130, 97)])
def test_tiles_cover_a_picture_and_blend_back_into_it(height, width):
    picture = np.random.default_rng(0).random((height, width, 2)).astype("float32")
    tiling = Tiling.of(picture, 64)
    tiles = tiling.cut(picture)
    assert tiles.shape == (len(tiling.corners), 64, 64, 2)
    np.testing.assert_allclose(tiling.blend(tiles, 2), picture, atol=1e-6)
    assert not tiling.blend([], 2).any(), "what is cancelled stays zero"


def test_neighbouring_tiles_overlap():
    corners = Tiling.of(np.zeros((64, 300, 1)), 64).corners
    lefts = [left for _, left in corners]
    assert max(np.diff(lefts)) <= 32
    assert lefts[-1] == 300 - 64


@pytest.mark.parametrize("side", [16, 32])
def test_the_smallest_tiles_overlap_by_half(side):
    picture = np.random.default_rng(0).random((64, 64, 1)).astype("float32")
    tiling = Tiling.of(picture, side)
    assert sorted({row for row, _ in tiling.corners}) == [*range(0, 64 - side + 1, side // 2)]
    np.testing.assert_allclose(tiling.blend(tiling.cut(picture), 1), picture, atol=1e-6)


def test_a_tile_counts_little_at_its_border():
    picture = np.zeros((64, 96, 1), "float32")
    tiling = Tiling.of(picture, 64)
    assert [left for _, left in tiling.corners] == [0, 32]
    blended = tiling.blend(np.stack([np.zeros((64, 64, 1)), np.ones((64, 64, 1))]), 1)[32, :, 0]
    assert blended[0] == 0
    assert blended[95] == 1
    assert np.all(np.diff(blended[32:64]) > 0), "from one to the other without a step"


def test_how_far_within_a_thing_a_pixel_lies():
    labels = np.zeros((7, 12), "int32")
    labels[1:6, 1:6] = 1
    labels[1:6, 6:11] = 2
    found = inner_distances(labels)
    expected = np.array([1, 2, 3, 2, 1]) / 3
    np.testing.assert_allclose(found[3, 1:11], [*expected, *expected])  # a valley where they touch
    assert not found[labels == 0].any()


def test_between_two_things_a_place_is_narrow():
    labels = np.zeros((9, 20), "int32")
    labels[:, 2:8], labels[:, 10:16] = 7, 3
    assert np.flatnonzero(narrow_places(labels)[4]).tolist() == [7, 8, 9, 10]
    assert not narrow_places(np.minimum(labels, 1)).any(), "one thing"


def test_what_the_network_shall_give_gives_the_things_back():
    head = Instances()
    targets = head.targets(CELLS)
    assert targets.dtype == np.uint8
    found = head.labels(targets / 255.0, 0.5)
    score = metrics.score_instances(found, CELLS)
    assert (score.count, score.found, score.matched[0]) == (4, 4, 4)
    assert score.dice == 1


def test_things_without_a_core_and_specks():
    probabilities = np.zeros((40, 40, 2), "float32")
    probabilities[5:9, 5:15, 0] = 0.9  # a thing whose core the network does not see
    probabilities[30:32, 30:32, 0] = 0.9  # too small
    found = Instances().labels(probabilities, 0.5)
    assert np.unique(found).tolist() == [0, 1]
    assert np.sum(found == 1) == 40


def test_areas_give_their_classes_back():
    head = Areas(2)
    labels = np.array([[0, 1, 2], [2, 1, 0]])
    np.testing.assert_array_equal(head.labels(head.targets(labels) / 255.0, 0.5), labels)


@pytest.mark.parametrize("head", [Instances(), Areas(3)], ids=["instances", "areas"])
def test_the_loss_is_least_for_the_right_answer(head):
    labels = CELLS if isinstance(head, Instances) else CELLS % 4
    targets = head.targets(labels)[None]
    sure = 16.0 * (targets[..., : head.num_outputs] / 255.0 - 0.5)
    right, wrong = (float(np.asarray(head.loss(targets, logits.astype("float32")))) for logits in (sure, -sure))
    assert right < 0.3 < 3 < wrong
    assert float(np.asarray(head.dice(targets, sure.astype("float32")))) > 0.99
    np.testing.assert_allclose(head.probabilities(sure).argmax(-1), sure.argmax(-1))


def test_pictures_of_any_brightness_are_made_alike():
    dark = (10 + 20 * (CELLS > 0)).astype("uint8")[..., None]
    light = 255 - dark
    for picture in (dark, light):
        found = stretched(picture)
        assert (found[CELLS == 0].max(), found[CELLS > 0].min()) == (0, 255)
    flat = np.full((5, 5, 1), 80, "uint8")
    assert stretched(flat).max() == 0
    noise = np.random.default_rng(0).integers(80, 83, (50, 50, 1), dtype="uint8")
    assert stretched(noise).max() < 60, "noise is not made into more"


def test_rows_of_things_and_areas():
    labels = np.zeros((6, 10), "int32")
    labels[1:3, 2:6], labels[5, 9] = 1, 2
    assert instance_rows(labels) == [
        {"number": 1, "area": 8, "x": 3.5, "y": 1.5, "width": 4, "height": 2},
        {"number": 2, "area": 1, "x": 9.0, "y": 5.0, "width": 1, "height": 1},
    ]
    assert instance_rows(np.zeros((3, 3), "int32")) == []
    assert area_rows(labels, ("sky", "sea", "land")) == [
        {"class": "sky", "area": 8, "percent": 13.33},
        {"class": "sea", "area": 1, "percent": 1.67},
    ]


def test_the_overlay_leaves_the_ground_as_it_is():
    picture = np.full((70, 90, 1), 170, "uint8")
    drawn = np.asarray(overlay(picture, CELLS))
    assert drawn.shape == (70, 90, 3)
    assert np.all(drawn[CELLS == 0] == 170)
    _, firsts = np.unique(CELLS, return_index=True)
    assert len({tuple(drawn.reshape(-1, 3)[place]) for place in firsts[1:]}) == 4
    dark = np.asarray(overlay(picture // 10, CELLS))
    assert np.all(dark[CELLS == 0] == 160), "to be seen"


@pytest.mark.parametrize("count", [3, 300])
def test_a_map_of_labels_survives_as_png(tmp_path, count):
    labels = np.arange(count * 4).reshape(count, 4) // 4 + 1
    (tmp_path / "labels.png").write_bytes(label_png(labels))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "labels.png")), labels)


def test_a_split_becomes_tiles_with_targets():
    from layerwise.splits import Split

    inputs, targets = np.empty(2, object), np.empty(2, object)
    for place, (height, width) in enumerate([(70, 90), (64, 64)]):
        inputs[place] = np.zeros((height, width, 3), "uint8")
        targets[place] = CELLS[:height, :width] if place == 0 else np.zeros((64, 64), "int32")
    tiles = TASK.to_train_on(Split(inputs, targets))
    assert tiles.inputs.shape == (5, 64, 64, 3)
    assert tiles.targets.shape == (5, 64, 64, 3)
    np.testing.assert_array_equal(tiles.targets[0], TASK.head.targets(CELLS)[:64, :64])


def test_what_a_look_into_the_network_is_given_is_the_middle():
    picture = np.zeros((200, 200, 3), "uint8")
    picture[90:110, 90:110] = 255
    assert TASK.encode({"image": picture}).sum() > 0
    assert TASK.encode({"image": picture}).shape == (1, 64, 64, 3)


@pytest.mark.parametrize(
    "task",
    [TASK, ImageSegmentation(labels=("sky", "sea", "land"), instances=False, tile=64)],
    ids=["instances", "areas"],
)
def test_one_can_look_into_the_network(task):
    import keras
    from inspection_samples import subject_of

    from layerwise.inspection import grad_cam, occlusion, saliency
    from layerwise.plots import Pictures

    inputs = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    picture = np.random.default_rng(0).integers(0, 255, (90, 100, 3), dtype="uint8")
    subject = subject_of(keras.Model(inputs, keras.layers.Conv2D(task.head.num_outputs, 1)(x)), task)
    assert subject.labels == list(task.output_names)
    for kind in (saliency, grad_cam, occlusion):
        look = kind.look(subject)
        *_, shown = in_turn(look.show({"image": picture}, look.settings()))
        assert any(isinstance(plot, Pictures) for plot in shown)


def test_answers_say_what_was_found():
    probabilities = TASK.head.targets(CELLS) / 255.0
    answer = TASK.answer(np.zeros((*CELLS.shape, 3), "uint8"), probabilities)
    assert answer["summary"] == "cell: 4, on 20.9 % of the picture. The median area is 312 pixels."
    assert len(answer["regions"]) == 4
    table = answer["measures"]["content"].decode().splitlines()
    assert table[0] == "number,area,x,y,width,height"
    assert table[1] == "1,613,60.0,50.0,29,29"
    assert len(table) == 5
    assert answer["labels"]["content"].startswith(b"\x89PNG")
    assert TASK.answer(np.zeros((9, 9, 3), "uint8"), np.zeros((9, 9, 2)))["summary"] == "Nothing was found."
    unsure = TASK.answer(np.zeros((*CELLS.shape, 3), "uint8"), 0.7 * probabilities, 0.8)
    assert unsure["regions"] == []
    with pytest.raises(InputError, match="out of range"):
        TASK.answer(np.zeros((9, 9, 3), "uint8"), np.zeros((9, 9, 2)), 2.0)
    assert TASK.decode(np.full((2, 64, 64, 2), -9.0))[1]["regions"] == []


@pytest.mark.parametrize(
    "values",
    [{"labels": ()}, {"labels": ("a", "b")}, {"tile": 50}, {"channels": 2}, {"contrast": "high"}, {"threshold": 1.0}],
    ids=lambda values: next(iter(values)),
)
def test_unusable_parameters_are_refused(values):
    with pytest.raises(SpecError, match="ImageSegmentation"):
        ImageSegmentation(**{"labels": ("cell",), **values})


def test_no_picture_is_said_so():
    with pytest.raises(InputError, match="no picture"):
        TASK.encode({"image": None})
