"""Bringing pictures into the frame of a network, above all into that of Fashion-MNIST."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from layerwise.errors import InputError
from layerwise.tasks.framing import fit_to_frame, pixels

FRAME = (28, 28)


def garment(image: Image.Image) -> np.ndarray:
    return pixels(fit_to_frame(image, FRAME, channels=1, polarity="light-on-dark"))[..., 0]


def bounds(array: np.ndarray) -> tuple[int, int, int, int]:
    """First row, last row, first column, last column that are not black."""
    rows, columns = np.flatnonzero(array.any(axis=1)), np.flatnonzero(array.any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


def scene(size: tuple[int, int], box: tuple[int, int, int, int], ground: int, thing: int) -> Image.Image:
    image = Image.new("L", size, ground)
    image.paste(thing, box)
    return image


@pytest.fixture(scope="module")
def test_pictures(fashion_mnist_folder) -> np.ndarray:
    data = gzip.decompress((fashion_mnist_folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(data, "uint8", offset=16).reshape(-1, 28, 28)


def test_examples_of_the_data_set_pass_unchanged(test_pictures):
    for array in test_pictures:
        assert np.array_equal(garment(Image.fromarray(array)), array)


def test_inverted_examples_are_turned_back(test_pictures):
    for array in test_pictures[:1000]:
        assert np.array_equal(garment(Image.fromarray(255 - array)), array)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_mode_of_an_example_does_not_matter(mode):
    array = np.zeros([28, 28], "uint8")
    array[4:20, 8:12] = np.arange(64).reshape(16, 4)
    assert np.array_equal(garment(Image.fromarray(array).convert(mode)), array)


def test_a_photograph_on_white_looks_like_its_example(test_pictures):
    """Enlarged tenfold and put off the middle of a white sheet, a garment comes back nearly as it was."""
    correlations = []
    for array in test_pictures[:50]:
        rows, columns = np.flatnonzero((array > 13).any(axis=1)), np.flatnonzero((array > 13).any(axis=0))
        if max(np.ptp(rows), np.ptp(columns)) < 27:
            continue  # the examples that do not fill their frame come back larger
        sheet = Image.new("RGB", (600, 400), "white")
        sheet.paste(Image.fromarray(255 - array).resize((280, 280), Image.Resampling.NEAREST), (230, 60))
        centred = np.zeros_like(array)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        top, left = (28 - height) // 2, (28 - width) // 2
        crop = array[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        centred[top : top + height, left : left + width] = crop
        correlations.append(np.corrcoef(garment(sheet).ravel(), centred.ravel())[0, 1])
    assert len(correlations) > 30
    assert np.median(correlations) > 0.97
    assert min(correlations) > 0.85


@pytest.mark.parametrize(("ground", "thing"), [(255, 0), (250, 90), (0, 255), (10, 200), (128, 20), (128, 240)])
@pytest.mark.parametrize("size", [(200, 300), (60, 50), (1200, 900)])
def test_a_thing_on_any_ground_fills_the_frame_light_on_black(size, ground, thing):
    width, height = size
    box = (width // 2, height // 5, width // 2 + width // 5, height // 5 + height // 2)
    found = garment(scene(size, box, ground, thing))
    top, bottom, left, right = bounds(found)
    assert (top, bottom) == (0, 27)
    assert abs(left - (27 - right)) <= 1
    aspect = (box[2] - box[0]) / (box[3] - box[1])
    assert right - left + 1 == pytest.approx(28 * aspect, abs=1.5)
    assert found[14, 14] >= 90
    assert found[14, 0] == 0


def test_a_wide_thing_touches_both_sides():
    assert bounds(garment(scene((300, 200), (20, 90, 280, 130), 255, 0)))[2:] == (0, 27)


def test_the_noise_of_a_photograph_is_no_content():
    random = np.random.default_rng(0)
    array = np.asarray(scene((640, 480), (200, 100, 400, 400), 210, 60)).astype("float64")
    noisy = np.clip(array + random.normal(0, 6, array.shape), 0, 255).astype("uint8")
    found = garment(Image.fromarray(noisy))
    assert found[:, :3].max() == 0
    assert found[14, 14] > 100


def test_uneven_light_is_not_refused():
    found = garment(Image.fromarray(np.linspace(0, 255, 400).astype("uint8").reshape(20, 20)))
    assert found.max() > 100


def test_thin_lines_of_a_drawing_are_kept():
    image = Image.new("L", (800, 800), 255)
    ImageDraw.Draw(image).rectangle([200, 200, 600, 600], outline=0, width=4)
    found = garment(image)
    assert bounds(found) == (0, 27, 0, 27)
    assert found[14, 14] == 0


@pytest.mark.parametrize("ground", [0, 40, 128, 250, 255])
def test_what_hardly_differs_is_empty(ground):
    with pytest.raises(InputError, match="Nothing stands out"):
        garment(scene((100, 100), (30, 30, 60, 60), ground, ground + (3 if ground < 128 else -3)))


@pytest.mark.parametrize("size", [(40, 20), (20, 40)])
def test_the_whole_picture_is_padded_with_the_colour_of_its_border(size):
    image = Image.new("RGB", size, (0, 100, 200))
    image.paste((250, 250, 250), (8, 8, size[0] - 8, size[1] - 8))
    found = pixels(fit_to_frame(image, FRAME))
    wide = size[0] > size[1]
    whole = pixels(image.resize((28, 14) if wide else (14, 28), Image.Resampling.LANCZOS)).astype(int)
    inside = (slice(7, 21), slice(None)) if wide else (slice(None), slice(7, 21))
    assert np.abs(found[inside] - whole).max() <= 3
    outside = np.ones([28, 28], bool)
    outside[inside] = False
    assert np.all(found[outside] == (0, 100, 200))


@pytest.mark.parametrize("polarity", ["any", "light-on-dark"])
def test_shrinking_does_not_alias(polarity):
    stripes = np.tile(np.array([0, 255], "uint8"), (400, 200))
    stripes = np.pad(stripes, 50, constant_values=255)
    found = pixels(fit_to_frame(Image.fromarray(stripes), FRAME, channels=1, polarity=polarity))[8:20, 8:20, 0]
    assert np.all((found > 110) & (found < 145))


def test_resizing_equals_a_filter_applied_by_hand():
    """Twofold shrinking of a linear ramp keeps it linear: an antialiased filter is symmetric and sums to one."""
    ramp = np.tile(np.arange(56, dtype="uint8") * 4, (56, 1))
    found = pixels(fit_to_frame(Image.fromarray(ramp), FRAME, channels=1))[14, 4:-4, 0]
    assert np.allclose(found, (np.arange(28) * 8 + 2)[4:-4], atol=1)


@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    frame=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3]),
    polarity=st.sampled_from(["any", "light-on-dark"]),
    mode=st.sampled_from(["L", "RGB"]),
    seed=st.integers(0, 9),
)
@settings(max_examples=200, deadline=None)
def test_every_size_is_framed(width, height, frame, channels, polarity, mode, seed):
    shape = [height, width] if mode == "L" else [height, width, 3]
    array = np.random.default_rng(seed).integers(0, 256, shape).astype("uint8")
    try:
        found = fit_to_frame(Image.fromarray(array), frame, channels=channels, polarity=polarity)
    except InputError:
        assert polarity == "light-on-dark"
        return
    assert pixels(found).shape == (*frame, channels)


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000), (8000, 3)])
def test_extreme_shapes_are_framed(size):
    image = scene(size, (size[0] // 2, size[1] // 2, size[0], size[1]), 255, 0)
    assert fit_to_frame(image, FRAME).size == FRAME
    assert garment(image).shape == FRAME
