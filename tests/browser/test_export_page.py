"""A version taken away as a file, from its button to the download."""

import importlib.util
import json
import os
import re
import zipfile

import pytest


def test_a_version_is_exported_and_downloaded(visit, trained):
    if importlib.util.find_spec("tf2onnx") is None and os.environ.get("CI") != "true":
        pytest.skip('needs pip install "layerwise[export]"')
    visitor = visit("models?model=toy/bars:small", phone=True)
    page = visitor.page
    page.locator("#versions tr", has_text=trained[1].id).wait_for()
    visitor.button("ONNX").click()
    page.locator("#export .lw-status").wait_for()
    assert visitor.button("LiteRT").is_disabled()
    visitor.says(re.compile("onnxruntime .* was compared with Layerwise on 2 examples"))
    assert visitor.button("LiteRT").is_enabled()
    with page.expect_download() as download:
        page.get_by_text(re.compile("Download toy-bars-small-")).click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["README.md", "metadata.json", "model.onnx"]
        metadata = json.loads(archive.read("metadata.json"))
    assert (metadata["version"], metadata["task"]["labels"]) == (trained[1].id, ["across", "down"])


def test_a_model_that_is_no_single_network_says_so(visit):
    visitor = visit("models?model=demo/echo:default")
    visitor.page.get_by_role("heading", name="Echo").wait_for()
    assert visitor.button("ONNX").is_disabled()
