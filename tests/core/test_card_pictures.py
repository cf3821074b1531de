"""The pictures that plugins ship for the cards of their models."""

import io
from pathlib import Path

import pytest
from PIL import Image

from layerwise import ModelCard
from layerwise.card_pictures import LARGEST_PICTURE, read_picture, still_of
from layerwise.errors import SpecError
from layerwise.registry import Registry

MOST_SECONDS = 5.0
"""Beyond which a moving picture would need a button that stops it (WCAG 2.2, 2.2.2)."""


def film(path, shades):
    frames = [Image.new("RGB", (12, 4), (shade, shade, shade)) for shade in shades]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, loop=1, lossless=True)
    return path


@pytest.mark.parametrize("picture", ["a.png", Path("a.exe"), Path("a")])
def test_only_what_browsers_show_is_a_picture(picture):
    with pytest.raises(SpecError, match=r"picture is not usable. Expected: the path of a file that ends with .jpg"):
        ModelCard(title="A", summary="b.", picture=picture)


def test_a_picture_is_read_with_its_type(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text("<svg/>")
    assert (read_picture(path).content, read_picture(path).media_type) == (b"<svg/>", "image/svg+xml")
    assert still_of(read_picture(path)) == read_picture(path), "it does not move"


def test_one_that_is_not_there_or_too_large_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"The picture a.png of a model's card cannot be read"):
        read_picture(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(bytes(LARGEST_PICTURE + 1))
    with pytest.raises(SpecError, match=r"too large. Expected: at most 400 kB"):
        read_picture(tmp_path / "a.png")


def test_the_still_of_a_film_is_its_last_frame(tmp_path):
    with Image.open(io.BytesIO(still_of(read_picture(film(tmp_path / "a.webp", (0, 100, 250)))).content)) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("L").getpixel((5, 2)) > 240


def test_what_is_shipped_is_there_and_moves_for_some_seconds_only(home):
    shown = [spec for spec in Registry(home).snapshot().models.values() if spec.card.picture is not None]
    assert len(shown) >= 10
    for spec in shown:
        picture = read_picture(spec.card.picture)
        with Image.open(io.BytesIO(picture.content)) as image:
            assert image.width == 3 * image.height, spec.name
            if getattr(image, "n_frames", 1) > 1:
                assert image.info["loop"] == 1, spec.name
                lasts = 0
                for frame in range(image.n_frames):
                    image.seek(frame)
                    image.load()
                    lasts += image.info["duration"]
                assert lasts <= 1000 * MOST_SECONDS, spec.name
