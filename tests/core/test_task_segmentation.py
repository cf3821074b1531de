"""Segmentation: tiles, heads, metrics by hand, folders of masks, and the task on pictures of any size."""

import numpy as np
import pytest
from PIL import Image

from layerwise.errors import DataError, InputError, SpecError
from layerwise.tasks import ImageSegmentation
from layerwise.tasks.segmentation import metrics
from layerwise.tasks.segmentation.contrast import stretched
from layerwise.tasks.segmentation.drawing import area_rows, instance_rows, label_png, overlay
from layerwise.tasks.segmentation.heads import Areas, Instances, inner_distances, narrow_places
from layerwise.tasks.segmentation.metrics import Segmented
from layerwise.tasks.segmentation.tiles import Tiling
from layerwise.teaching.lessons import in_turn

TASK = ImageSegmentation(labels=("cell",), tile=64)


def discs(height, width, places):
    """A map of labels with a disc for each (row, column, radius)."""
    rows, columns = np.mgrid[:height, :width]
    labels = np.zeros((height, width), "int32")
    for number, (row, column, radius) in enumerate(places, start=1):
        labels[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return labels


CELLS = discs(70, 90, [(20, 20, 10), (20, 38, 10), (50, 60, 14), (60, 10, 5)])


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


def test_metrics_by_hand():
    right = np.zeros((4, 10), "int32")
    right[:, 0:4], right[:, 6:8] = 1, 2
    found = np.zeros((4, 10), "int32")
    found[:, 0:3], found[:, 9:10] = 7, 3  # 12 of 16 pixels; nothing of the second; one too many
    score = metrics.score_instances(found, right)
    assert (score.count, score.found) == (2, 2)
    assert score.matched == (1, 1, 1, 1, 1, 0, 0, 0, 0, 0)  # IoU 12/16 is above 0.5 to 0.7
    assert score.precision() == pytest.approx(1 / 3)
    assert score.dice == pytest.approx(2 * 12 / (24 + 16))
    assert score.iou == pytest.approx(12 / 28)
    nothing = metrics.score_instances(np.zeros((4, 10)), np.zeros((4, 10)))
    assert (nothing.precision(), nothing.dice) == (1, 1)
    found = metrics.instance_metrics([score, nothing])
    assert found["mean_average_precision_50"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["mean_average_precision"] == pytest.approx((0.5 / 3 + 1) / 2)
    assert found["f1_50"] == pytest.approx(2 / 4)


def test_metrics_of_areas_by_hand():
    right, found = np.array([[0, 0, 1, 1, 2]]), np.array([[0, 1, 1, 1, 0]])
    table = metrics.confusion_of_areas(found, right, 4)
    measured = metrics.area_metrics([table], ("a", "b", "c"))
    assert measured["iou_a"] == pytest.approx(2 / 3)
    assert measured["iou_b"] == 0
    assert "iou_c" not in measured  # it occurs nowhere
    assert measured["mean_iou"] == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)
    assert measured["pixel_accuracy"] == pytest.approx(3 / 5)


def test_a_report_has_the_figures_of_each_look_and_the_worst_pictures():
    pictures = [np.full((70, 90, 3), level, "uint8") for level in (10, 200)] + [np.zeros((70, 90, 3), "uint8")]
    pictures[2][..., 0] = 90
    found = [Segmented(CELLS), Segmented(np.zeros_like(CELLS)), Segmented(np.where(CELLS == 2, 0, CELLS))]
    table, line, worst = TASK.report(found, [CELLS] * 3, pictures)
    assert [row[:2] for row in table.rows] == [("dark", 1), ("light", 1), ("coloured", 1)]
    assert [row[4] for row in table.rows] == ["1.000", "0.000", "0.750"]
    np.testing.assert_allclose(line.lines[0].y, (1 + 0 + 0.75) / 3)
    assert [picture.caption for picture in worst.pictures[:4]] == [
        "found 0 of 4, and 0 that are none",
        "right",
        "found 3 of 4, and 0 that are none",
        "right",
    ]


def test_a_report_of_areas_has_a_row_for_each_class():
    task = ImageSegmentation(labels=("a", "b"), instances=False, tile=64)
    found, right = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])
    (table,) = task.report([Segmented(found)], [right], [np.zeros((1, 4, 3))])
    assert list(table.rows) == [("ground", 1, "0.500", "0.667"), ("a", 3, "0.667", "0.800"), ("b", 0, "–", "–")]


def test_what_was_compared_is_not_compared_again():
    calls = []

    def compare(found, right):
        calls.append(1)
        return len(calls)

    segmented, right = Segmented(CELLS), CELLS.copy()
    assert [segmented.compare(right, compare) for _ in range(3)] == [1, 1, 1]
    assert segmented.compare(CELLS, compare) == 2


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


@pytest.fixture
def folder(tmp_path):
    """Ten pictures with masks of each form that is taken."""
    root = tmp_path / "cells"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for number in range(10):
        labels = np.roll(CELLS, 3 * number, axis=1)
        picture = np.where(labels[..., None] > 0, 200, 30) + np.arange(3)
        Image.fromarray(picture.astype("uint8")).save(root / "images" / f"{number}.png")
        if number % 3 == 0:
            Image.fromarray(labels.astype("uint16")).save(root / "masks" / f"{number}.png")
        elif number % 3 == 1:
            (root / "masks" / f"{number}").mkdir()
            for thing in (1, 2, 3, 4):
                mask = Image.fromarray((255 * (labels == thing)).astype("uint8"))
                mask.save(root / "masks" / f"{number}" / f"{thing}.png")
        else:
            Image.fromarray(labels > 0).save(root / "masks" / f"{number}.png")
    return root


def test_masks_of_each_form_are_read(folder):
    own = TASK.read_folder(folder)
    assert own.task == TASK
    assert sum(map(len, own.splits.values())) == 10
    assert min(map(len, own.splits.values())) >= 1
    counts = {}
    for split in own.splits.values():
        for place in range(len(split)):
            picture, labels = split.inputs[place], split.targets[place]
            assert picture.shape == (70, 90, 3)
            counts[int(np.unique(labels[labels > 0]).size)] = counts.get(int(np.unique(labels[labels > 0]).size), 0) + 1
    # In black and white two that touch are one; rolled over the border one is two.
    assert counts[4] >= 6
    assert set(counts) <= {3, 4, 5}
    assert own.report.what == "pictures"
    assert own.report.sizes["width in pixels"] == (90, 90, 90)
    assert "things in a picture" in own.report.sizes


@pytest.mark.parametrize("form", ["colour.png", "grey.png", "lossy.jpg"])
def test_masks_in_colour_and_lossy_ones_are_read(tmp_path, form):
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [250, 0, 0]], "uint8")
    drawn = {"colour.png": colours[CELLS], "grey.png": np.repeat(50 * CELLS[..., None], 3, axis=2).astype("uint8")}
    drawn["lossy.jpg"] = 255 * (drawn["grey.png"] > 0).astype("uint8")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for name in "abc":
            picture = drawn[form] if folder == "masks" else drawn["grey.png"] + np.uint8(ord(name))
            Image.fromarray(picture).save(tmp_path / folder / f"{name}{form[-4:]}")
    splits = TASK.read_folder(tmp_path).splits
    labels = splits["train"].targets[0]
    # Of black and white the two that touch are one.
    assert np.unique(labels).tolist() == list(range(4 if form == "lossy.jpg" else 5))
    assert metrics.score_instances(labels, CELLS).dice > 0.99


def test_a_folder_for_each_picture_is_read(folder):
    """As the Data Science Bowl has them: a folder for each picture, with a mask for each thing."""
    for number in range(10):
        place = folder / "all" / f"{number}"
        (place / "images").mkdir(parents=True)
        (place / "masks").mkdir()
        (folder / "images" / f"{number}.png").rename(place / "images" / f"{number}.png")
        for thing in (1, 2, 3, 4):
            mask = Image.fromarray((255 * (np.roll(CELLS, 3 * number, axis=1) == thing)).astype("uint8"))
            mask.save(place / "masks" / f"{thing}{number}abc.png")
    own = TASK.read_folder(folder / "all")
    assert sum(map(len, own.splits.values())) == 10
    assert all(np.unique(labels).size == 5 for split in own.splits.values() for labels in split.targets[:])


def test_maps_of_one_size_stay_an_array_of_objects(folder):
    """Else NumPy would make one array of them, and of maps of several sizes none."""
    targets = np.asarray(TASK.read_folder(folder).splits["train"].targets)
    assert (targets.dtype, targets.ndim) == (object, 1)


def test_whoever_divides_the_pictures_is_followed(folder):
    for split in ("train", "test"):
        (folder / split / "images").mkdir(parents=True)
        (folder / split / "masks").mkdir(parents=True)
    for number in (0, 3, 6, 9):
        split = "test" if number == 9 else "train"
        for kind in ("images", "masks"):
            (folder / kind / f"{number}.png").rename(folder / split / kind / f"{number}.png")
    for kind in ("images", "masks"):
        (folder / kind).rename(folder.parent / f"old {kind}")
    splits = TASK.read_folder(folder).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 3, "test": 1}


def test_pictures_without_masks_and_masks_of_other_sizes_are_named(folder):
    (folder / "masks" / "0.png").unlink()
    assert any("1 pictures have no mask" in warning for warning in TASK.read_folder(folder).report.warnings)
    Image.new("L", (5, 5), 1).save(folder / "masks" / "3.png")
    with pytest.raises(DataError, match="The mask has 5 × 5 pixels, the picture 90 × 70"):
        TASK.read_folder(folder)


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_folder_of_another_form_says_what_is_expected(folder, missing):
    (folder / missing).rename(folder / "other")
    with pytest.raises(DataError, match="images and masks"):
        TASK.read_folder(folder)


def test_areas_of_named_classes(folder):
    task = ImageSegmentation(labels=("x",), instances=False, tile=64)
    with pytest.raises(DataError, match=r"labels\.txt"):
        task.read_folder(folder)
    (folder / "labels.txt").write_text("cell\nfat cell\nlean cell\nold cell\n")
    for number in range(10):
        mask = folder / "masks" / f"{number}"
        if mask.is_dir():
            for path in mask.iterdir():
                path.unlink()
            mask.rmdir()
        Image.fromarray(np.roll(CELLS, 3 * number, axis=1).astype("uint8")).save(f"{mask}.png")
    own = task.read_folder(folder)
    assert own.task.labels == ("cell", "fat cell", "lean cell", "old cell")
    assert own.task.head.num_outputs == 5
    assert (own.task.metric, TASK.metric) == ("mean_iou", "mean_average_precision_50")
    trained = ImageSegmentation(labels=("old cell", "lean cell", "fat cell", "cell"), instances=False, tile=64)
    for name, split in trained.read_to_measure(folder).items():
        expected = [np.where(labels > 0, 5 - labels, 0) for labels in own.splits[name].targets[:]]
        np.testing.assert_array_equal(np.asarray(split.targets).tolist(), expected)
    with pytest.raises(DataError, match="does not know"):
        task.read_to_measure(folder)
    Image.fromarray(np.full((70, 90), 9, "uint8")).save(folder / "masks" / "0.png")
    with pytest.raises(DataError, match="class without a name"):
        task.read_folder(folder)
    (folder / "labels.txt").write_text("cell\n")
    assert np.unique(task.read_folder(folder).splits["train"].targets[0]).tolist() in ([0, 1], [1]), "black and white"


def build_threshold(config, task):
    """A network that finds what is light, with both of its outputs."""
    import keras

    inputs = keras.Input((task.tile, task.tile, 1))
    scaled = keras.layers.Rescaling(1 / 32, offset=-4.0)(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(2, 1, kernel_initializer="ones")(scaled))


@pytest.mark.parametrize("sizes", [[(70, 90)] * 8, [(70, 90), (40, 200), (64, 64), (130, 66)] * 2])
def test_whole_pictures_of_ones_own_are_measured(tmp_path, sizes):
    import sample_models as samples

    from layerwise.evaluation import evaluate_version, report_of
    from layerwise.versions import VersionStore

    own = tmp_path / "own"
    for folder in ("images", "masks"):
        (own / folder).mkdir(parents=True)
    for number, (height, width) in enumerate(sizes):
        labels = discs(height, width, [(15, 20, 10), (20, width - 15, 8)])
        Image.fromarray(np.where(labels > 0, 220, 20).astype("uint8")).save(own / "images" / f"{number}.png")
        Image.fromarray((255 * (labels > 0)).astype("uint8")).save(own / "masks" / f"{number}.png")
    task = ImageSegmentation(labels=("disc",), tile=64, channels=1)
    spec = samples.spec_of("sample/discs", task=task, build=build_threshold)
    run = samples.promoted(tmp_path, spec, build_threshold(None, task))
    version = VersionStore(tmp_path).get(spec, None, run.id)
    measured = evaluate_version(samples.shelf(spec), version, data=own)
    assert measured["metrics"] == pytest.approx(dict.fromkeys(measured["metrics"], 1.0))
    assert 1 <= measured["count"] < 8
    table, *_ = report_of(samples.shelf(spec), version, data=own)
    assert table.rows[0][1] == measured["count"]
