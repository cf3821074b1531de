"""Pictures that cannot be used, and rare ones that can, by the page and by the HTTP API."""

import base64
from types import SimpleNamespace

import bad_pictures
import gradio as gr
import pytest

from layerwise_app.web.demo import Demo
from layerwise_app.web.fetching import FetchPart
from layerwise_app.web.inputs import draw_input
from layerwise_app.web.inside import Inside
from layerwise_app.web.markup import markup

REFUSED, READ = bad_pictures.refused(), bad_pictures.read()
MODELS = ("vision/faces", "vision/fashion")
each_model = pytest.mark.parametrize("model", MODELS)


@each_model
@pytest.mark.parametrize("name", list(REFUSED))
def test_the_api_says_what_is_wrong(client, model, name):
    content, said = REFUSED[name]
    answer = client.post(f"/api/v1/predict/{model}", files={"image": (name, content)})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    body = {"inputs": {"image": base64.b64encode(content).decode()}}
    again = client.post(f"/api/v1/predict/{model}", json=body)
    assert again.json() == answer.json()


@each_model
@pytest.mark.parametrize("name", list(READ))
def test_the_api_reads_what_is_rare(client, model, name):
    answer = client.post(f"/api/v1/predict/{model}", files={"image": (name, READ[name])})
    # Fashion-MNIST's networks want something that stands out from its ground.
    assert answer.status_code == 200 or "Nothing stands out" in answer.json()["error"]["message"]


@pytest.fixture
def demo(site):
    """The demo of a model, as its page draws it."""

    def make(model):
        spec = site.snapshot.model(model)
        with gr.Blocks():
            inputs = tuple(draw_input(field) for field in spec.task.inputs)
            weights, inside = FetchPart(site, spec), Inside(site)
            return Demo(site, spec, gr.Radio(), gr.Dropdown(), inputs, (), gr.HTML(), weights, inside, markup())

    return make


@each_model
@pytest.mark.parametrize("name", list(REFUSED))
def test_the_page_says_what_is_wrong_in_place_of_an_answer(demo, model, name, tmp_path):
    content, said = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    shown = demo(model)
    reference = shown.reference(shown.spec.variants[0].name, "in use")
    *_, (text, *_) = shown.shown(reference, lambda: {"image": str(path)}, SimpleNamespace(session_hash="a"))
    assert said in text
    assert 'role="alert"' in text
    assert "Traceback" not in text
