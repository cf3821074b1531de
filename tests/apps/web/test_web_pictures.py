"""What was found in a picture, as HTML, as JSON, as text and as files."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise_app.cli.answers import keep_files, print_answer
from layerwise_app.values import plain
from layerwise_app.web.components import table_html
from layerwise_app.web.pictures import annotated_html, crops_html

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 160, 3), "uint8"))
FOUND = AnnotatedPicture(
    image=PICTURE,
    found=(
        Found(label="<cat>", score=0.98765, box=(10.04, 30, 60, 80), points={"nose": (30, 50)}),
        Found(label="dog", score=0.5, box=(100, 1, 150, 40)),
    ),
)
NOTHING = AnnotatedPicture(image=PICTURE, found=())


def test_boxes_are_drawn_in_pixels_of_the_picture_and_listed_for_those_who_do_not_see_them():
    shown = annotated_html("Found", FOUND)
    assert 'viewBox="0 0 160 90"' in shown
    assert '<rect x="10.0" y="30.0" width="50.0" height="50.0"/>' in shown
    assert "M30.0 50.0h0" in shown
    assert "<cat>" not in shown
    assert shown.count("<li>") == 2
    assert "&lt;cat&gt;: 1, dog: 1" in shown
    assert "50 × 50 pixels at 10, 30" in shown
    assert 'role="status"' in shown
    # A box that begins at the upper border has its number within it.
    assert shown.count("lw-within") == 1


def test_a_picture_in_which_nothing_was_found_says_so():
    assert "Nothing was found." in annotated_html("Found", NOTHING)
    assert "<ol" not in annotated_html("Found", NOTHING)
    assert "The answer appears here." in annotated_html("Found", None)


def test_a_large_picture_is_sent_no_larger_than_a_screen():
    large = AnnotatedPicture(image=PICTURE.resize((4000, 3000)), found=())
    url = annotated_html("Found", large).partition("base64,")[2].partition('"')[0]
    assert max(Image.open(io.BytesIO(base64.b64decode(url))).size) == 1400


def test_crops_can_be_kept_in_full_size():
    shown = crops_html("Faces", [{"label": "face", "image": PICTURE}])
    kept = shown.partition('href="data:image/png;base64,')[2].partition('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(kept))).size == PICTURE.size
    assert 'download="face-1.png"' in shown
    assert crops_html("Faces", []) == ""


def test_a_table_shows_numbers_briefly_and_nothing_as_html():
    shown = table_html("Sizes", [{"name": "<b>", "area": 12.34567, "rest": None}])
    assert "&lt;b&gt;" in shown
    assert "12.35" in shown
    assert table_html("Sizes", []) == ""


def test_an_answer_as_json_has_no_picture_but_where_things_are():
    found = plain({"objects": FOUND, "crops": [{"label": "cat", "image": PICTURE}], "table": {"n": np.float32(1)}})
    assert found["objects"] == {
        "width": 160,
        "height": 90,
        "found": [
            {"label": "<cat>", "score": 0.9877, "box": [10.0, 30, 60, 80], "points": {"nose": [30, 50]}},
            {"label": "dog", "score": 0.5, "box": [100, 1, 150, 40]},
        ],
    }
    assert found["crops"][0]["image"].startswith("data:image/png;base64,")
    assert found["table"] == {"n": 1.0}
    file = plain({"map": {"name": "map.png", "content": b"123"}})
    assert file["map"]["content"] == "data:image/png;base64,MTIz"


def test_an_answer_is_printed_and_its_files_are_kept(tmp_path, capsys):
    answer = {
        "objects": FOUND,
        "blurred": PICTURE,
        "crops": [{"label": "cat", "image": PICTURE}],
        "map": {"name": "../map.png", "content": b"123"},
        "sizes": [{"name": "cat", "area": 2500.0}],
    }
    print_answer(answer, 5)
    printed = capsys.readouterr().out
    for words in ("<cat>: 1, dog: 1", "0.988", "160 x 90 pixels", "1 pictures", "3 bytes", "2500"):
        assert words in printed
    kept = keep_files(answer, tmp_path / "new", "photos/cat.jpg")
    assert [path.name for path in kept] == ["cat-blurred.png", "cat-crops-1.png", "cat-map.png"]
    assert Image.open(kept[0]).size == PICTURE.size


def test_large_photographs_are_kept_as_jpeg(tmp_path):
    (kept,) = keep_files({"blurred": PICTURE.resize((1600, 900))}, tmp_path, "cat.png")
    assert kept.suffix == ".jpg"


@pytest.mark.parametrize("value", [{"a": 1}, [], "text", 3.5])
def test_plain_values_stay_as_they_are(value):
    assert plain(value) == value
