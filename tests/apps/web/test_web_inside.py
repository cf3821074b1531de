"""What the panel "Look inside" asks for and is answered."""

import pytest

from layerwise.errors import InputError, LayerwiseError, NotFoundError
from layerwise.specs import resolve
from layerwise.versions import Reference
from layerwise_app.web import inside
from layerwise_app.web.inside import Inside

FASHION = Reference("vision/fashion", "dense")


@pytest.fixture
def panel(site):
    return Inside(site)


@pytest.fixture
def asked(site, panel):
    """What the panel says of an example that was asked about."""
    example = resolve(site.snapshot.model("vision/fashion").examples)()[0]
    return {"sitting": panel.remember(FASHION, example.inputs)}


def test_it_opens_with_the_first_look_that_can_be_shown(panel, asked):
    opened = panel.open(asked)
    assert opened["look"] == "layers"
    assert 'data-look="integrated-gradients"' in opened["looks"]
    assert 'data-part="network"' not in opened["looks"], "there is one network"
    assert panel.open({**asked, "look": "saliency"})["look"] == "saliency", "the look stays when another input is asked"
    assert panel.open({**asked, "look": "grad-cam"})["look"] == "layers", "which this network does not have"


def test_a_quick_look_is_shown_with_its_controls(panel, asked):
    shown = panel.choose({**asked, "look": "saliency", "settings": {"target": "Bag"}})["html"]
    assert '<option value="Bag" selected>' in shown
    assert "what changes Bag" in shown
    assert "<img" in shown
    other = panel.show({**asked, "look": "saliency", "settings": {"target": "Coat"}})["html"]
    assert "what changes Coat" in other
    assert "<select" not in other


def test_a_long_look_is_computed_when_it_is_asked_for(panel, asked):
    shown = panel.choose({**asked, "look": "integrated-gradients"})["html"]
    assert "Compute again" in shown
    assert "<img" not in shown
    panel.begin({**asked, "look": "integrated-gradients", "token": "a-token-of-the-page"})
    assert "contributions" in panel.more({"token": "a-token-of-the-page"})["html"]
    assert panel.more({"token": "a-token-of-the-page"}) == {"html": None}


def test_a_look_that_was_left_is_not_computed(panel, asked):
    panel.begin({**asked, "look": "occlusion", "token": "a-token-of-the-page"})
    assert panel.more({"token": "a-token-of-the-page", "stop": True}) == {"html": None}
    with pytest.raises(InputError, match="not going on"):
        panel.more({"token": "a-token-of-the-page"})


def test_before_anything_was_asked_the_network_itself_can_be_seen(panel):
    asked = {"sitting": panel.remember(FASHION)}
    assert panel.open({**asked, "look": "layers"})["look"] == "layers"
    assert "dense_1" in panel.choose({**asked, "look": "layers"})["html"]
    assert "no input to look at" in panel.choose({**asked, "look": "activations"})["html"]


def test_what_is_not_known_is_refused(panel, asked):
    with pytest.raises(InputError, match="forgotten"):
        panel.open({"sitting": "of another start of the server"})
    with pytest.raises(NotFoundError, match="x-ray"):
        panel.choose({**asked, "look": "x-ray"})
    with pytest.raises(InputError, match="token"):
        panel.begin({**asked, "look": "layers", "token": "short"})


def test_only_the_last_inputs_are_remembered(panel, monkeypatch):
    monkeypatch.setattr(inside, "KEPT_SITTINGS", 2)
    first, second, third = (panel.remember(FASHION) for _ in range(3))
    assert len({first, second, third}) == 3
    with pytest.raises(InputError, match="forgotten"):
        panel.open({"sitting": first})
    assert panel.open({"sitting": third})["look"] == "layers"


def test_a_model_that_is_no_network_says_so(panel):
    asked = {"sitting": panel.remember(Reference("demo/brightness", "default"))}
    with pytest.raises(LayerwiseError, match="no Keras network"):
        panel.open(asked)
