"""What is shown of answers and of measured figures."""

import dataclasses

import pytest

from layerwise_app.web.answers import percent, probabilities_html
from layerwise_app.web.figures import figures_markdown, figures_of, format_metric, main_figure


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9731, "97.3 %"), (0.5, "50.0 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (0.0002, "< 0.1 %"), (0.99999, "> 99.9 %")],
)
def test_probabilities_as_people_read_them(share, text):
    assert percent(share) == text


def test_the_five_most_probable_labels():
    value = {f"label {index}": 1 / (index + 2) for index in range(8)}
    shown = probabilities_html("Probabilities", value)
    assert "<strong>label 0</strong> <span>50.0 %</span>" in shown
    assert [f"label {index}<" in shown for index in range(8)] == [True] * 5 + [False] * 3
    assert shown.count('<i style="width: ') == 5


def test_labels_are_text_and_not_html():
    shown = probabilities_html('"Odds"', {"<script>alert(1)</script>": 1.0})
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert 'aria-label="&quot;Odds&quot;"' in shown


def test_before_there_is_an_answer():
    assert "The answer appears here." in probabilities_html("Probabilities", None)


@pytest.fixture
def version(make_run, workspace, spec):
    run = make_run("demo/brightness")
    return workspace.versions.get(spec("demo/brightness"), None, run.id)


def test_figures_say_on_which_data_they_were_measured(version, spec):
    assert list(figures_of(version)) == ["validation accuracy", "training loss"]
    assert main_figure(spec("demo/brightness"), version) == "validation accuracy 87.5%"
    record = {**version.record, "measured": {"split": "test", "metrics": {"accuracy": 0.91, "log_loss": 0.3039}}}
    measured = dataclasses.replace(version, record=record)
    assert list(figures_of(measured))[:2] == ["test accuracy", "test log loss"]
    assert main_figure(spec("demo/brightness"), measured) == "test accuracy 91.0%"


def test_a_training_figure_is_never_taken_for_a_test_figure(version, spec):
    record = {**version.record, "metrics": {"loss": 0.1, "accuracy": 0.99}}
    trained = dataclasses.replace(version, record=record)
    assert main_figure(spec("demo/brightness"), trained) == "training accuracy 99.0%"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("test accuracy", 0.9351, "93.5%"),
        ("val_word_error_rate", 0.0083, "0.8%"),
        ("mAP@50", 0.75, "75.0%"),
        ("rmse", 0.5, "0.5"),
        ("loss", 12345.6, "1.235e+04"),
    ],
)
def test_metrics_as_people_read_them(name, value, text):
    assert format_metric(name, value) == text


def test_the_table_of_figures_has_a_row_for_each_variant(version):
    table = figures_markdown({"small": version, "deep | wide": None})
    assert "| network | version in use | parameters | validation accuracy | training loss |" in table
    assert f"| small | {version.id} | 1,234 | 87.5% | 0.5 |" in table
    assert "| deep \\| wide | none yet |  |  |  |" in table
