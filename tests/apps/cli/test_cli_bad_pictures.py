"""Pictures that cannot be used, and rare ones that can, on the command line; options of an input."""

import bad_pictures
import pytest

REFUSED, READ = bad_pictures.refused(), bad_pictures.read()


@pytest.mark.parametrize("name", list(REFUSED))
@pytest.mark.parametrize("model", ["vision/faces", "vision/fashion"])
def test_what_is_wrong_is_a_sentence(layerwise, model, name, tmp_path):
    content, said = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    result = layerwise("predict", model, str(path))
    assert result.status == 1
    assert said in " ".join(result.error.split())
    assert "Traceback" not in result.error


def test_what_is_rare_is_read_and_the_threshold_is_given_beside_the_files(layerwise, tmp_path):
    for name, content in READ.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in READ]
    text = layerwise("predict", "vision/faces", *paths, "threshold=0.9").output
    assert text.count("Nothing was found.") == len(READ)


def test_an_option_that_does_not_fit_is_said(layerwise, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(READ["deep.png"])
    result = layerwise("predict", "vision/faces", str(path), "threshold=2")
    assert result.status == 1
    assert "a number from 0.05 to 0.95" in " ".join(result.error.split())
    assert "Picture is missing" in layerwise("predict", "vision/faces", "threshold=0.5").error
