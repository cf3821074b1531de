"""Answers that are given again: what counts as the same question, and which answers are kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from layerwise.serving.answer_cache import LARGEST_INPUT, MOST_BYTES, AnswerCache, bytes_of, digest_of, most_bytes
from layerwise.tasks.annotations import AnnotatedPicture, Found
from layerwise.tasks.fields import Field

FIELDS = (Field(name="image", kind="image", alternatives=("sketch",)), Field(name="text", kind="text", optional=True))


def picture(value, mode="RGB"):
    return Image.new(mode, (4, 3), value)


def digest(**inputs):
    return digest_of(FIELDS, inputs)


def test_equal_inputs_are_the_same_question():
    assert digest(image=picture((1, 2, 3)), text="a") == digest(text="a", image=picture((1, 2, 3)))
    assert digest(image=np.arange(6).reshape(2, 3)) == digest(image=np.arange(6).reshape(2, 3))
    assert digest(image=b"abc") == digest(image=b"abc")


DIFFERENT = [
    {"image": picture((1, 2, 3))},
    {"image": picture((1, 2, 4))},
    {"image": picture(1, "L")},
    {"image": np.arange(6)},
    {"image": np.arange(6).reshape(2, 3)},
    {"image": np.arange(6, dtype=np.float32)},
    {"image": b"abc"},
    {"image": {"composite": picture((1, 2, 3))}},
    {"image": [picture((1, 2, 3))]},
    {"image": b"abc", "text": "a"},
    {"image": b"abc", "text": "b"},
    {"image": b"abc", "text": 1},
    {"image": b"abc", "text": True},
    {"image": b"abc", "text": 1.0},
    {"image": b"abc", "text": None},
    {"image": b"abc", "text": ["a", "b"]},
    {"image": b"abc", "text": ["ab"]},
    {"image": b"abc", "text": [["a"], "b"]},
    {"text": "abc"},
]


def test_different_inputs_are_different_questions():
    digests = [digest(**inputs) for inputs in DIFFERENT]
    assert None not in digests
    assert len(set(digests)) == len(DIFFERENT)


def test_a_file_is_another_one_when_it_was_written_again(tmp_path):
    path = tmp_path / "picture.png"
    picture((1, 2, 3)).save(path)
    first = digest(image=str(path))
    assert digest(image=path) == first
    Image.new("RGB", (40, 30)).save(path)
    assert digest(image=path) != first
    assert digest(image=tmp_path / "none.png") is None
    # A text is a text, also where it reads like a path.
    assert digest(text=str(path)) is not None


def test_what_cannot_be_told_is_no_question_to_remember():
    turned = picture((1, 2, 3))
    turned.getexif()[0x0112] = 6
    for value in (object(), np.array([{}], object), picture(1, "P"), turned, b"x" * (LARGEST_INPUT + 1)):
        assert digest(image=value) is None


def answer(size):
    return {"mask": np.zeros(size, np.uint8)}


def test_an_answer_is_given_again_and_nobody_can_change_it():
    cache = AnswerCache(MOST_BYTES)
    given_first = {"label": {"cat": 0.9}, "mask": np.zeros(3), "image": picture(1, "L")}
    cache.put("key", given_first)
    given_first["label"]["cat"] = 0.0
    found = cache.get("key")
    assert found is not None
    found["mask"][:] = 7
    found["label"].clear()
    again = cache.get("key")
    assert again is not None
    assert again["label"] == {"cat": 0.9}
    assert again["mask"].tolist() == [0, 0, 0]
    assert cache.get("other") is None
    cache.clear()
    assert cache.get("key") is None


def test_what_everybody_asks_outlives_what_one_asks():
    cache = AnswerCache(100_000)
    for key in ("an example", "another"):
        cache.put(key, answer(1000))
        assert cache.get(key) is not None
    for number in range(1000):
        cache.put(number, answer(1000))
    assert cache.get("an example") is not None
    assert cache.get("another") is not None
    assert cache.get(0) is None
    assert cache.get(999) is not None


def test_large_answers_and_those_that_hold_more_than_data_are_not_kept():
    cache = AnswerCache(10_000)
    cache.put("large", answer(5000))
    cache.put("a function", {"call": print})
    assert cache.get("large") is None
    assert cache.get("a function") is None
    assert cache.num_bytes == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans())))
def test_no_more_is_kept_than_allowed_and_each_answer_is_its_own(steps):
    cache = AnswerCache(4000)
    for key, is_asked in steps:
        found = cache.get(key) if is_asked else cache.put(key, answer(50 * key))
        assert found is None or len(found["mask"]) == 50 * key
        everything = [*cache._once.answers.values(), *cache._often.answers.values()]
        assert cache.num_bytes == sum(taken for _, taken in everything) <= 4000


def test_the_size_of_an_answer_is_about_that_of_what_it_holds():
    found = AnnotatedPicture(image=picture(1), found=(Found(label="cat", score=0.5, box=(0, 0, 1, 1)),))
    assert 48 < bytes_of({"boxes": found}) < 3000
    assert bytes_of({"mask": np.zeros((100, 100), np.float32)}) > 40_000
    assert bytes_of({"text": "x" * 1000}) > 1000
    assert bytes_of(object()) is None


@pytest.mark.parametrize(("value", "wanted"), [(None, MOST_BYTES), ("0", 0), ("off", 0), ("1M", 2**20)])
def test_how_much_is_kept_is_a_setting(monkeypatch, value, wanted):
    monkeypatch.delenv("LAYERWISE_ANSWER_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("LAYERWISE_ANSWER_CACHE", value)
    assert most_bytes() == wanted
