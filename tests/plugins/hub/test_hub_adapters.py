"""Published networks that learn by low-rank adaptation: what is kept of them, and how a training goes on."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hub_samples.texts import sentence_encoder

from layerwise.errors import MissingDependencyError

pytest.importorskip("torch", reason='published models need torch: pip install "layerwise[hub]"')
pytest.importorskip("transformers")
library = pytest.importorskip("layerwise_hub.library")
probed = pytest.importorskip("layerwise_hub.probed")

TEXTS = ["the cat", "music is louder in the evening than all night"]


@pytest.fixture(params=["sentence_encoder", "vit", "resnet"])
def found(request, home, tmp_path):
    """What `adapters_probe.py` found."""
    pytest.importorskip("peft")
    script = Path(__file__).with_name("adapters_probe.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), request.param], capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_published_network_learns_and_only_small_matrices_are_kept(found):
    assert found["states"] == ["finished", "finished"]
    # It was stopped in the middle of an epoch, and went on to the very same weights.
    assert found["resumed"] == 0
    assert found["learned"] > 0.8
    assert any("lora_A" in name for name in found["names"])
    assert all(any(part in name for part in ("lora_", "standardised", "logits")) for name in found["names"])
    # Before it has learned it is the published network, of which a step changes nothing.
    assert found["features"] < 1e-5
    assert found["changed"] == []
    assert found["without_gradient"] == 0
    assert found["learning"] == found["variables"] > 0


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_tokens_give_the_vectors_of_their_texts(home, tmp_path, monkeypatch, pooling):
    import torch

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sentence_encoder(tmp_path, pooling)
    entry = library.add(library.look(str(tmp_path)), lambda *_: None)
    named = entry.name, probed.digest_of(entry)
    encoder, tokens = probed.load_encoder(*named), probed.reader_of(*named).tokens(TEXTS)
    with torch.no_grad():
        found = encoder.features(torch.as_tensor(tokens)).numpy()
        longer = encoder.features(torch.as_tensor(np.pad(tokens, ((0, 0), (0, 9))))).numpy()
    np.testing.assert_allclose(found, encoder.vectors(TEXTS), atol=1e-5)
    # No more is computed than the longest of them needs.
    np.testing.assert_array_equal(longer, found)


def test_what_is_not_installed_is_told_in_a_sentence():
    with pytest.raises(MissingDependencyError, match=r'learns needs the package peft_2\..*"layerwise\[hub\]"'):
        library.require_framework("peft_2")
