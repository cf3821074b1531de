"""Points of the user's own: as a text in a link, and from a CSV file. And the network that is taken home."""

import base64
import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise_learn.playground import service
from layerwise_learn.playground.config import PlaygroundConfig
from layerwise_learn.playground.csv_file import read_csv
from layerwise_learn.playground.data import EDGE, FEATURES, decode_points, encode_points, features_of
from layerwise_learn.playground.training import Training

coordinate = st.floats(-EDGE, EDGE)


@given(st.lists(st.tuples(coordinate, coordinate, st.integers(0, 3)), max_size=20))
def test_points_come_back_from_their_text(rows):
    table = np.array(rows).reshape(-1, 3)
    points, classes = decode_points(encode_points(table[:, :2], table[:, 2], is_regression=False), is_regression=False)
    np.testing.assert_allclose(points, table[:, :2], atol=1e-4)
    assert classes.tolist() == table[:, 2].tolist()


@given(st.lists(st.tuples(coordinate, coordinate, st.floats(-1, 1)), max_size=20))
def test_values_come_back_from_their_text(rows):
    table = np.array(rows).reshape(-1, 3)
    _, values = decode_points(encode_points(table[:, :2], table[:, 2], is_regression=True), is_regression=True)
    np.testing.assert_allclose(values, table[:, 2], atol=2e-5)


@pytest.mark.parametrize(
    ("text", "said"),
    [("!", "cannot be read"), ("AAAA", "cannot be read"), ("A" * 8 * 1001, "too many points"), ("AAAAAP__", "classes")],
)
def test_another_text_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        decode_points(text, is_regression=False)


@pytest.mark.parametrize(
    "text",
    [
        "x,y,label\n1,2,b\n-3,4,a\n",
        "1,2,b\n-3,4,a",
        "\ufeffx;y;kind\n1;2;b\n\n-3;4;a\n",
        "1\t2\tb\r\n-3\t4\ta\r\n",
        ' 1 , 2 , "b"\n-3,4,"a"\n',
    ],
)
def test_a_csv_file_is_read(text):
    table = read_csv(text.replace(' "b"', "b"), is_regression=False)
    assert table.points.tolist() == [[1, 2], [-3, 4]]
    assert table.labels == ("a", "b")
    assert table.targets.tolist() == [1, 0]
    assert table.remark == ""


def test_what_lies_outside_is_scaled_and_said():
    table = read_csv("0,1000,50\n100,3000,150\n50,2000,100", is_regression=True)
    assert table.points.tolist() == [[-5, -5], [5, 5], [0, 0]]
    assert table.targets.tolist() == [-1, 1, 0]
    assert table.remark == (
        "The points were moved and scaled to fit the plane. The values were scaled to lie between -1 and 1."
    )


@pytest.mark.parametrize(
    ("text", "is_regression", "said"),
    [
        ("", False, "usable number of points"),
        ("1,2,a", False, "usable number of points"),
        ("1,2,a\n" * 1001, False, "usable number of points"),
        ("1,2,a\n3,4\n5,6,b", False, "Line 2"),
        ("x,y,label\n1,2,a\n3,four,b", False, "Line 3"),
        ("1,2,a\n3,nan,b", False, "Line 2"),
        ("1,2,0.5\n3,4,inf", True, "Line 2"),
        ("1,2,a\n3,4,a", False, "do not make classes"),
        ("1,2,a\n1,2,b\n1,2,c\n1,2,d\n1,2,e", False, "do not make classes"),
        ("1,2,a\n" * 50_000, False, "too large"),
    ],
)
def test_a_csv_file_that_cannot_be_used_is_refused(text, is_regression, said):
    with pytest.raises(InputError, match=said):
        read_csv(text, is_regression=is_regression)


def test_very_large_numbers_are_scaled_without_overflow():
    table = read_csv("-1.7e308,0,a\n1.7e308,1,b", is_regression=False)
    assert table.points[:, 0].tolist() == [-5, 5]


def test_points_of_a_file_can_be_learned():
    config = {"data": "own", "test_share": 0, "units": [4], "activations": "tanh"}
    read = service.read_points({"text": "x,y,kind\n1,2,cat\n-3,4,dog\n0,0,cat\n2,2,dog", "config": config})
    assert read["labels"] == ("cat", "dog")
    begun = service.begin({"config": {**config, "points": read["points"]}})
    assert [row[2] for row in begun["points"]] == [0, 1, 0, 1]
    assert service.advance({"state": begun["state"], "steps": 5})["state"]["step"] == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"features": ",".join(FEATURES), "dropout": 0.1, "l1": 0.01, "units": [5, 4], "activations": "selu,leaky_relu"},
        {"num_classes": 3, "units": [], "activations": ""},
        {"data": "waves", "units": [6], "activations": "gelu", "optimizer": "nesterov"},
    ],
)
def test_the_exported_code_answers_as_the_playground(options, tmp_path):
    training = Training.start(PlaygroundConfig(**options)).advance(20, seconds=60)
    answer = service.export({"state": service._shown(training)["state"]})
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["zip"]))) as archive:
        assert archive.namelist() == ["network.py", "weights.npz"]
        archive.extractall(tmp_path)
    points = np.random.default_rng(0).uniform(-6, 6, (20, 2))
    np.save(tmp_path / "points.npy", points)
    code = (
        "import numpy as np, network; points = np.load('points.npy'); np.save('out.npy', network.predict(points));"
        "network.train(points, np.zeros(20), num_epochs=1)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    expected = training.network.forward(features_of(points, training.config.feature_names))["output"]
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)
