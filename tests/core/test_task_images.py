"""Pictures that people bring, against what Pillow wrote."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageDraw

from layerwise.errors import InputError
from layerwise.tasks import ImageClassification
from layerwise.tasks.images import MAX_PIXELS, load_image

TASK = ImageClassification(labels=("cat", "dog"), size=(16, 16))


@pytest.fixture
def picture() -> Image.Image:
    """A red square on a blue ground, the left upper pixel green."""
    image = Image.new("RGB", (40, 24), (0, 0, 200))
    image.paste((200, 0, 0), (10, 6, 30, 18))
    image.putpixel((0, 0), (0, 255, 0))
    return image


def as_bytes(image: Image.Image, format_: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "BMP", "TIFF", "WEBP", "PPM"])
def test_lossless_formats_are_read_exactly(picture, format_):
    options = {"lossless": True} if format_ == "WEBP" else {}
    assert np.array_equal(load_image(as_bytes(picture, format_, **options)), picture)


def test_a_picture_comes_as_path_array_image_or_text(picture, tmp_path):
    path = tmp_path / "picture.png"
    picture.save(path)
    for value in (path, str(path), np.asarray(picture), picture, memoryview(path.read_bytes())):
        assert np.array_equal(load_image(value), picture)


def test_jpeg_and_cmyk_keep_their_colours(picture):
    for data in (as_bytes(picture, "JPEG", quality=95), as_bytes(picture.convert("CMYK"), "JPEG", quality=95)):
        image = load_image(data)
        assert np.allclose(image.getpixel((20, 12)), (200, 0, 0), atol=8)
        assert np.allclose(image.getpixel((3, 20)), (0, 0, 200), atol=8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "HSV", "YCbCr", "RGBA", "RGBX", "CMYK", "La", "RGBa"])
def test_every_mode_becomes_grey_or_rgb(picture, mode):
    source = picture.convert("RGBA" if mode == "RGBa" else "LA" if mode == "La" else mode).convert(mode)
    image = load_image(source)
    assert image.mode in ("L", "RGB")
    wanted = picture.convert("1" if mode == "1" else "L" if mode in ("LA", "La") else "RGB").convert(image.mode)
    assert np.abs(np.asarray(image, "int16") - np.asarray(wanted, "int16")).mean() < 4


def test_a_palette_with_transparency_is_filled(picture):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 255, 200, 0, 0])
    image.paste(1, (2, 2, 6, 6))
    loaded = load_image(as_bytes(image, "PNG", transparency=0))
    assert loaded.getpixel((0, 0)) == (255, 255, 255)
    assert loaded.getpixel((4, 4)) == (200, 0, 0)


@pytest.mark.parametrize("big_endian", [False, True])
def test_16_bit_grey_is_scaled(big_endian):
    values = np.linspace(0, 65535, 256).astype("uint16").reshape(16, 16)
    if big_endian:
        data = as_bytes(Image.fromarray(values.astype(">u2")), "TIFF")
    else:
        data = as_bytes(Image.fromarray(values), "PNG")
    assert np.array_equal(load_image(data), np.rint(values / 257).astype("uint8"))


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.new("L", (8, 8), 0) for _ in range(3)]
    for index, frame in enumerate(frames):
        frame.putpixel((index, 0), 255)
    image = load_image(as_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])).convert("L")
    assert np.asarray(image)[0, :3].tolist() == [255, 0, 0]


def test_photographs_are_turned_upright(picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    data = as_bytes(picture, "PNG", exif=exif)
    assert np.array_equal(load_image(data), picture.transpose(Image.Transpose.ROTATE_270))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_data_does_not_matter(picture):
    data = as_bytes(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 30)
    assert load_image(data).size == picture.size


@pytest.mark.parametrize(("ink", "ground"), [((0, 0, 0), 255), ((255, 255, 250), 0), ((200, 30, 30), 255)])
def test_a_drawing_on_nothing_gets_a_ground_that_it_stands_out_from(ink, ground):
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(4, 4), (28, 28)], fill=(*ink, 255), width=3)
    loaded = load_image(image)
    assert loaded.getpixel((31, 0)) == (ground,) * 3
    assert loaded.getpixel((16, 16)) == ink


def test_half_transparent_pixels_are_mixed_with_the_ground():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 51))
    assert load_image(image).getpixel((1, 0)) == (204, 204, 204)


def test_what_an_editor_gives_is_put_together():
    layer = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    layer.paste((10, 20, 30, 255), (4, 4, 8, 8))
    background = Image.new("RGB", (16, 16), (9, 9, 9))
    both = load_image({"background": background, "layers": [layer], "composite": None})
    assert both.getpixel((5, 5)) == (10, 20, 30)
    assert both.getpixel((0, 0)) == (9, 9, 9)
    drawn = {"background": None, "layers": [np.asarray(layer)], "composite": np.asarray(layer)}
    assert load_image(drawn).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"background": None, "layers": [], "composite": None},
        Image.new("RGBA", (8, 8), (0, 0, 0, 0)),
        Image.new("RGB", (8, 8), "white"),
        np.zeros([8, 8], "uint8"),
        np.zeros([0, 8], "uint8"),
        {"composite": Image.new("RGBA", (8, 8), (255, 255, 255, 255))},
    ],
)
def test_an_empty_canvas_asks_for_something(value):
    with pytest.raises(InputError, match="draw or upload something"):
        load_image(value)


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),
        (np.array([[0.0, 127.6, 255.0]]), [0, 128, 255]),
        (np.array([[0, 128, 255]], "int64"), [0, 128, 255]),
        (np.array([[False, True, True]]), [0, 255, 255]),
        (np.array([[0, 32768, 65535]], "uint16"), [0, 128, 255]),
        (np.array([[[0], [7], [9]]], "uint8"), [0, 7, 9]),
        (np.array([[0.0, 0.5, 1.0]], "float16"), [0, 128, 255]),
    ],
)
def test_arrays_of_any_number_type_are_scaled(array, wanted):
    assert np.asarray(load_image(array))[0].tolist() == wanted


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.array([[0.0, np.inf]]), "infinite"),
        (np.array([[-1, 3]]), "out of range"),
        (np.array([[0, 256]]), "out of range"),
        (np.zeros([2, 2], "complex64"), "dtype complex64"),
        (np.array([["a", "b"]]), "dtype"),
        (np.array([[None, 1]]), "dtype object"),
        (np.zeros([1, 8, 8, 3]), "shape"),
        (np.zeros([8]), "shape"),
        (np.zeros([8, 8, 5]), "shape"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array, text):
    with pytest.raises(InputError, match=text):
        load_image(array)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty file"),
        (b"This is a letter.\n" * 90, "text file"),
        ("Schöne Grüße, ".encode() * 200, "text file"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf <svg/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"%PDF-1.7", "PDF"),
        (bytes(range(256)) * 4, "unknown format"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "text file"),
    ],
)
def test_other_files_are_named(data, text, tmp_path):
    path = tmp_path / "renamed.png"
    path.write_bytes(data)
    for value in (data, path):
        with pytest.raises(InputError, match=text):
            load_image(value)


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_truncated_pictures_are_refused(format_):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, [64, 64, 3], "uint8"))
    data = as_bytes(noise, format_)
    with pytest.raises(InputError, match="damaged or cut off"):
        load_image(data[: len(data) // 2])


def claimed_png(width: int, height: int) -> bytes:
    """A PNG that says it has that size, and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(MAX_PIXELS // 8000 + 1, 8000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("error")
def test_huge_pictures_are_refused_before_they_are_decoded(size):
    with pytest.raises(InputError, match="at most 80 million pixels"):
        load_image(claimed_png(*size))


def test_a_huge_array_is_refused():
    with pytest.raises(InputError, match="20000 x 20000"):
        load_image(np.broadcast_to(np.uint8(0), (20_000, 20_000)))


@pytest.mark.parametrize("value", ["no such file.png", "/", "a\0b", "x" * 5000, 3, ["a"], object()])
def test_what_is_no_picture_at_all_is_refused(value):
    with pytest.raises(InputError):
        load_image(value)


@given(
    arrays(
        st.sampled_from(["uint8", "int8", "uint16", "int32", "float16", "float32", "float64", "bool", "complex64"]),
        array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_array_is_encoded_or_refused(array):
    for task in (TASK, ImageClassification(labels=("a", "b"), size=(5, 7), channels=1, polarity="light-on-dark")):
        try:
            encoded = task.encode({"image": array})
        except InputError:
            continue
        assert encoded.shape == (1, *task.size, task.channels)
        assert encoded.dtype == np.uint8


SEEDS = [
    as_bytes(Image.linear_gradient("L").resize((9, 9)), format_)
    for format_ in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "JPEG2000")
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.data())
@settings(max_examples=300, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_any_damage_is_read_or_refused(seed, changes, data):
    damaged = bytearray(seed)
    for position, value in changes:
        damaged[position % len(damaged)] = value
    cut = data.draw(st.integers(0, len(damaged)))
    try:
        encoded = TASK.encode({"image": bytes(damaged[:cut])})
    except InputError:
        return
    assert encoded.shape == (1, 16, 16, 3)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(InputError):
        load_image(b"\x01" + data)
