"""A user's own pictures with boxes, as COCO writes them down."""

import json

import numpy as np
import pytest
from PIL import Image

from layerwise.errors import DataError
from layerwise.tasks import ObjectDetection

TASK = ObjectDetection(labels=("thing",), size=(32, 64))


@pytest.fixture
def write(tmp_path):
    """`write(count, change=...)`: a folder with pictures of 80 x 80 pixels that have a box each; `change` changes the
    content of the JSON before it is written."""

    def make(count=10, *, change=lambda content: None, json_name="annotations.json", folder="images"):
        root = tmp_path / "own"
        (root / folder).mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(0)
        content = {
            "images": [{"id": i, "file_name": f"{i}.png", "width": 80, "height": 80} for i in range(count)],
            "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
            "annotations": [
                {"id": i, "image_id": i, "category_id": (7, 3)[i % 2], "bbox": [10, 20, 30, 40]} for i in range(count)
            ],
        }
        for i in range(count):
            pixels = generator.integers(0, 256, (80, 80, 3), "uint8")
            Image.fromarray(pixels).save(root / folder / f"{i}.png")
        change(content)
        (root / json_name).parent.mkdir(parents=True, exist_ok=True)
        (root / json_name).write_text(json.dumps(content), encoding="utf-8")
        return root

    return make


def test_boxes_are_read_in_pixels_of_the_frame(write):
    data = TASK.read_folder(write())
    assert data.task.labels == ("cat", "dog")
    train, test = data.splits["train"], data.splits["test"]
    assert len(train) + len(test) == 10
    assert len(test) >= 1
    assert train.inputs.shape[1:] == (32, 64, 3)
    # 80 x 80 in 64 x 32: 32 wide, from 16 on, at 0.4 of its size.
    for row in (*train.targets, *test.targets):
        np.testing.assert_allclose(row[0, :4], [20, 8, 32, 24], atol=1e-5)
        assert row[0, 4] in (0, 1)
    assert data.report.summary.startswith("10 pictures of 2 classes")
    assert data.report.sizes["longer side of a box in pixels"] == (40, 40, 40)
    assert data.report.examples[0].value.startswith("images/")


def test_the_same_pictures_are_held_out_whatever_is_added(write):
    first = TASK.read_folder(write(10)).report
    second = TASK.read_folder(write(12)).report
    assert second.splits["test"] >= first.splits["test"]


def test_bad_boxes_are_left_out_and_named(write):
    def change(content):
        content["annotations"] += [{"image_id": 2, "category_id": 7, "bbox": [5, 5, 20, 20]} for _ in range(40)]
        content["annotations"] += [
            {"image_id": 1, "category_id": 7, "bbox": [90, 10, 20, 20]},
            {"image_id": 1, "category_id": 99, "bbox": [1, 1, 20, 20]},
            {"image_id": 1, "category_id": 7, "bbox": [1, None, 20, 20]},
            {"id": "x", "image_id": 50, "category_id": 7, "bbox": [1, 1, 20, 20]},
        ]

    report = TASK.read_folder(write(change=change)).report
    said = " ".join(report.warnings)
    assert "4 of 54 boxes cannot be used" in said
    assert "1.png: its bbox [90, 10, 20, 20] has no area within the picture" in said
    assert "there is no category 99" in said
    assert "annotation x: there is no such picture" in said


def test_a_box_is_cut_to_its_picture(write):
    def change(content):
        for item in content["annotations"]:
            item["bbox"] = [-10, -10, 50, 500]

    train = TASK.read_folder(write(change=change)).splits["train"]
    np.testing.assert_allclose(train.targets[0, 0, :4], [16, 0, 32, 32], atol=1e-5)


def test_too_many_bad_boxes_are_refused(write):
    def change(content):
        for item in content["annotations"][:3]:
            item["bbox"] = [0, 0, 0, 0]

    with pytest.raises(DataError, match=r"3 of 10 boxes cannot be used: 0\.png"):
        TASK.read_folder(write(change=change))


def test_pictures_that_are_missing_or_of_another_size_are_named(write):
    def change(content):
        content["images"][3]["width"] = 60
        content["annotations"][3]["bbox"] = [1, 1, 20, 20]

    root = write(30, change=change)
    (root / "images" / "5.png").unlink()
    report = TASK.read_folder(root).report
    reasons = {item.name: item.reason for item in report.unreadable}
    assert reasons["5.png"] == "There is no such file"
    assert reasons["3.png"] == "It is 80 x 80 pixels, in the annotations 60 x 80"


def test_a_folder_of_which_no_picture_can_be_read_is_refused(write):
    root = write(10)
    for path in (root / "images").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="10 of 10 files cannot be read"):
        TASK.read_folder(root)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.pop("categories"), "a list 'categories' of objects with id and name"),
        (lambda content: content["images"][0].pop("file_name"), "a list 'images' of objects with id and file_name"),
        (lambda content: content["annotations"].clear(), "No picture of the train split has a box"),
        (lambda content: content["images"][0].update(file_name="../../secret.png"), "outside of the folder"),
    ],
)
def test_what_is_not_coco_is_said(write, change, said):
    with pytest.raises(DataError, match=said):
        TASK.read_folder(write(change=change))


def test_a_file_for_each_split(write):
    root = write(6, json_name="train/_annotations.coco.json", folder="train")
    write(4, json_name="valid/_annotations.coco.json", folder="valid")
    write(3, json_name="test/_annotations.coco.json", folder="test")
    assert TASK.read_folder(root).report.splits == {"test": 3, "train": 6, "validation": 4}
    (root / "more.json").write_text("{}")
    with pytest.raises(DataError, match="It is not clear which file of annotations"):
        TASK.read_folder(root)


def test_a_folder_without_annotations(tmp_path):
    with pytest.raises(DataError, match="no JSON file of annotations"):
        TASK.read_folder(tmp_path)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json is no JSON"):
        TASK.read_folder(tmp_path)


def test_own_data_are_measured_with_the_numbers_of_the_model(write):
    root = write()
    task = ObjectDetection(labels=("bird", "dog", "cat"), size=(32, 64))
    splits = task.read_to_measure(root)
    labels = np.concatenate([part.targets[:, 0, 4] for part in splits.values()])
    assert set(labels) == {1, 2}
    with pytest.raises(DataError, match="does not know"):
        ObjectDetection(labels=("cat",), size=(32, 64)).read_to_measure(root)
