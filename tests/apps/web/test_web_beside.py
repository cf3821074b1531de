"""The page "Side by side": the families it offers, replies and leaderboards as HTML, and the HTTP API of the same."""

import base64
import csv
import io
from types import SimpleNamespace

import pytest

from layerwise.beside import Reply
from layerwise.comparing.benchmark import Benchmark
from layerwise.serving.footprint import Footprint
from layerwise.tasks.fields import Field
from layerwise_app.web.leaderboards import board_html, downloads_html, status_html
from layerwise_app.web.pages import beside
from layerwise_app.web.replies import agreement_text, marked, replies_html

LABELLED = (Field(name="label", kind="text"), Field(name="shares", kind="label-probabilities"))
SAID = (Field(name="text", kind="text", label="Answer"), Field(name="rows", kind="table", optional=True))


def labelled(label, **values):
    answer = {"label": label, "shares": {label: 0.75, "else": 0.25}}
    return Reply(asked=f"a/{label}", outputs=LABELLED, answer=answer, state="done", seconds=0.0123, **values)


def told(text, **more):
    return Reply(asked="a/b", outputs=SAID, answer={"text": text, **more}, state="done")


def test_replies_show_answers_costs_and_who_differs():
    takes = Footprint(num_parameters=1234567, weights_bytes=4 * 1234567, where="CPU <x>")
    shown = replies_html([labelled("cat", footprint=takes, num_timed=5), labelled("cat"), labelled("dog")])
    assert "2 of 3: <b>cat</b>; 1 of 3: <b>dog</b>" in shown
    assert shown.count("lw-differs") == shown.count(">differs<") == 1
    assert shown.index("lw-differs") > shown.index("a/cat")
    assert "12.3 ms" in shown
    assert "median of 5" in shown
    assert "1,234,567" in shown
    assert "4.7 MiB" in shown
    assert "CPU &lt;x&gt;" in shown


def test_while_they_answer_nothing_is_said_of_agreement():
    shown = replies_html([labelled("cat"), Reply(asked="a/b", state="loading"), Reply(asked="a/c")])
    assert "Loading the network" in shown
    assert "Waiting for the others" in shown
    assert "differs" not in shown
    assert "lw-agreement" not in shown


def test_errors_stand_where_the_answer_would_be():
    shown = replies_html([labelled("cat"), Reply(asked="a/b", state="failed", error="<b>no</b>")])
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert 'role="alert"' in shown
    assert agreement_text([labelled("cat"), Reply(asked="a/b", state="failed", error="no")]) == ""


def test_all_who_agree_are_counted():
    assert agreement_text([labelled("cat"), labelled("Cat")]) == "Both say <b>cat</b>."
    assert agreement_text([labelled("x" * 99)] * 3) == "All 3 say the same."


def test_words_that_differ_from_the_first_are_marked():
    shown = replies_html([told("a <red> boot"), told("a <blue> boot", rows=[{"n": 1}])])
    assert "a <mark>&lt;blue&gt;</mark> boot" in shown
    assert "<mark>&lt;red" not in shown
    assert "More of the answer" in shown
    assert marked("same", "same") == "same"


def test_pictures_numbers_and_json_are_shown():
    from PIL import Image

    fields = (
        Field(name="picture", kind="image"),
        Field(name="number", kind="number"),
        Field(name="data", kind="json"),
        Field(name="file", kind="file"),
    )
    answer = {"picture": Image.new("RGB", (900, 30)), "number": 2.5, "data": {"<a>": [1]}, "file": "/secret"}
    shown = replies_html([Reply(asked="a/b", outputs=fields, answer=answer, state="done")])
    assert 'src="data:image/png;base64,' in shown
    assert "<b>2.5</b>" in shown
    assert "&lt;a&gt;" in shown
    assert "secret" not in shown


@pytest.fixture
def kept(workspace):
    """A leaderboard as its process would have left it, with a model whose name is no HTML."""
    references = ["demo/echo:default@code", "demo/broken:default@a&b", "demo/ear:default@code"]
    board = workspace.leaderboards.create(references, Benchmark(folder="/data/of/mine", limit=4), "accuracy")
    for place, (hits, cost) in enumerate((("1110", 0.2), ("1101", 0.1))):
        measured = {
            "reference": references[place],
            "split": "test",
            "count": 4,
            "examples": "same",
            "metrics": {"accuracy": 0.75, "log_loss": 0.25 + place},
            "interval": {"accuracy": [0.3, 0.95]},
            "resampled": {"accuracy": [0.5, 0.75, 1.0]},
            "hits": hits,
            "seconds": cost,
            "num_parameters": None,
            "weights_bytes": None,
            "where": "CPU",
        }
        board.keep(place, measured)
    board.keep(2, {"reference": references[2], "error": "It cannot <hear>"})
    board.append("finished")
    yield board
    workspace.leaderboards.delete(board.id)


def test_a_leaderboard_as_html(kept):
    shown = board_html(kept.board)
    assert "It cannot &lt;hear&gt;" in shown
    assert "demo/broken:default@a&amp;b" in shown
    assert "100 ms" in shown
    assert shown.count(">front<") == 1
    assert "0.7500</b> <small>(0.3000 to 0.9500)" in shown
    assert "1 only the first has right, 1 only the second" in shown
    assert "may be chance" in shown
    assert "Accuracy over the time of an answer" in shown
    assert "Accuracy over parameters" not in shown, "nobody says how many there are"
    assert "All metrics" in shown
    assert "mine, test, 4 examples" in status_html(kept, "finished")
    assert "/data/of" not in status_html(kept, "finished")
    assert f"leaderboards/{kept.id}/models.csv" in downloads_html(kept)


def test_nothing_measured_yet():
    board = {"models": [{"reference": "a/b:c@d"}], "pairs": [], "metric": "", "direction": "max", "count": 0}
    assert "Nothing is measured yet" in board_html(board)


@pytest.fixture
def page(site):
    import gradio as gr

    with gr.Blocks() as blocks:
        page = beside._Page(site)
        page.draw()
        page.wire(blocks)
    return page


def request(**query):
    return SimpleNamespace(query_params=query)


def test_families_and_versions_are_offered(page, make_run):
    run = make_run("demo/brightness", threshold=0.2)
    titles = [family.title for family in page.families]
    place = titles.index("Image classification")
    names = page._models_of(page.families[place])
    assert names[-1] == "demo/brightness:default"
    assert "vision/fashion:dense" in names
    assert "Control" not in titles
    other = make_run("demo/brightness", threshold=0.8)
    found = page._models_of(page.families[place])
    assert {f"demo/brightness:default@{item.id}" for item in (run, other)} <= set(found)


def test_a_link_opens_the_models_and_the_leaderboard_of_it(page, kept):
    family, models, *_ = page.open(request(models="demo/echo:default,demo/broken:default", leaderboard=kept.id))
    assert "demo saying" in page.families[family].title
    assert models["value"] == ["demo/echo:default", "demo/broken:default"]
    family, models, *columns = page.open(request())
    assert page.families[family].title == "Image classification"
    assert models["value"] == ["vision/fashion:conv", "vision/fashion:dense"]
    visible = [column["visible"] for column in columns[: len(page.panels)]]
    assert visible == [place == family for place in range(len(page.panels))]


def test_the_page_shows_the_newest_leaderboard_and_forgets_one_that_is_deleted(page, kept):
    choice, status, board, actions, *_ = page.choose(kept.id)
    assert choice["value"] == kept.id
    assert "finished" in status
    assert "may be chance" in board
    assert actions["visible"]
    assert "No leaderboard yet" in page.look("gone")[1]


def test_answers_come_one_after_the_other(page):
    steps = list(page.replies(["demo/echo:default", "demo/broken:default"], {"text": "one two"}))
    assert "Waiting for the others" in steps[0]
    assert "Both say <b>one two</b>" in steps[-1]
    assert "measuring" not in steps[-1]
    (said,) = page.replies(["demo/echo:default"], {"text": "x"})
    assert "2 to 8 models" in said
    *_, last = page.replies(["demo/echo:default", "demo/broken:default"], {"text": "forbidden"})
    assert last.count("This may not be said") == 2


def test_the_api_asks_several_models(client, png):
    body = {"models": ["demo/echo", "demo/broken"], "inputs": {"text": "a b"}}
    found = client.post("/api/v1/beside", json=body).json()
    assert [item["answer"]["text"] for item in found] == ["a b", "a b"]
    assert [item["differs"] for item in found] == [False, False]
    picture = base64.b64encode(png(200)).decode()
    refused = client.post("/api/v1/beside", json={"models": ["demo/brightness", "demo/echo"], "inputs": picture})
    assert refused.status_code == 422
    assert "cannot be asked the same" in refused.json()["error"]["message"]
    elsewhere = client.post("/api/v1/beside", json=body, headers={"origin": "http://elsewhere"})
    assert elsewhere.status_code == 400


def test_the_api_of_leaderboards(client, kept):
    assert [item["id"] for item in client.get("/api/v1/leaderboards").json()] == [kept.id]
    found = client.get(f"/api/v1/leaderboards/{kept.id}").json()
    assert (found["state"], found["progress"], found["count"]) == ("finished", None, 4)
    table = client.get(f"/api/v1/leaderboards/{kept.id}/models.csv")
    assert "attachment" in table.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == 3
    assert client.get(f"/api/v1/leaderboards/{kept.id}/leaderboard.md").text.startswith("# Leaderboard")
    assert client.get(f"/api/v1/leaderboards/{kept.id}/none.csv").status_code == 404
    assert client.get("/api/v1/leaderboards/none").status_code == 404
    assert client.post(f"/api/v1/leaderboards/{kept.id}/stop").status_code == 409
    refused = client.post("/api/v1/leaderboards", json={"models": ["demo/echo", "demo/broken"]})
    assert refused.status_code == 422
    assert "--data FOLDER" in refused.json()["error"]["message"]
