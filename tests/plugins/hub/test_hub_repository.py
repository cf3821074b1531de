"""Published models looked at and fetched: from folders, from a stand-in of the hub, and what is said when it fails."""

from __future__ import annotations

import json
from types import SimpleNamespace

import hub_server
import numpy as np
import pytest
from safetensors.numpy import save_file

from layerwise.errors import DataError, InputError, MissingDependencyError, NotFoundError, WeightsError
from layerwise_hub import library
from layerwise_hub.hub_cache import kept_folder
from layerwise_hub.manifest import Manifest

FIRST, SECOND = "1" * 40, "2" * 40
CONFIG = {
    "architectures": ["ViTForImageClassification"],
    "model_type": "vit",
    "id2label": {"0": "cat", "1": "dog"},
    "image_size": 32,
}


@pytest.fixture(autouse=True)
def framework(monkeypatch, home):
    """These tests load no network, so they need no torch."""
    monkeypatch.setattr(library, "missing_framework", lambda: None)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with hub_server.serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield found


def published(folder, config=CONFIG, size=4, card="---\nlicense: apache-2.0\n---\n# A network\n", **more):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config, **more}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 32, "width": 32}}))
    (folder / "README.md").write_text(
        card + "\nIt tells cats from dogs, [as described](https://example.org), and <b>nothing</b> else at all.\n"
    )
    save_file({"a": np.arange(size, dtype="float32"), "b": np.zeros((2, 3), "float32")}, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_own.py").write_text("raise SystemExit('never')")
    return folder


def silently(*_):
    pass


def test_it_is_shown_before_anything_large_is_downloaded(hub, tmp_path):
    hub.publish("tiny/Vit_Small", published(tmp_path / "network"), FIRST)
    offer = library.look("tiny/Vit_Small")
    assert (offer.name, offer.kind.name, offer.licence) == (
        "vision/tiny-vit-small",
        "image-classification",
        "apache-2.0",
    )
    assert offer.about == "It tells cats from dogs, as described, and nothing else at all."
    assert offer.repository.revision == FIRST
    assert offer.size == sum(
        (tmp_path / "network" / name).stat().st_size
        for name in ("config.json", "model.safetensors", "preprocessor_config.json")
    )
    assert not any("safetensors" in path for _, path, _ in hub.requested)


def test_it_is_downloaded_and_pinned_to_its_commit(hub, tmp_path):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    told = []
    entry = library.add(library.look("tiny/vit"), lambda *news: told.append(news))
    assert entry.revision == FIRST
    assert entry.num_parameters == 10
    assert set(entry.files) == {"config.json", "model.safetensors", "preprocessor_config.json"}
    asked = {path.rpartition("/")[2] for _, path, _ in hub.requested}
    assert not asked & {"pytorch_model.bin", "modeling_own.py"}
    weights = (tmp_path / "network" / "model.safetensors").stat().st_size
    assert ("model.safetensors", weights, weights) in told
    assert Manifest().entries() == {"vision/tiny-vit": entry}
    # A new commit changes nothing until an update is asked for.
    hub.publish("tiny/vit", published(tmp_path / "newer", size=7), SECOND)
    assert library.folder_of(entry) == kept_folder("tiny/vit", FIRST)
    fresh, is_changed = library.update("vision/tiny-vit", silently)
    assert is_changed
    assert (fresh.revision, fresh.num_parameters) == (SECOND, 13)
    assert library.update("vision/tiny-vit", silently)[1] is False
    older = library.add(library.look("tiny/vit", revision=FIRST), silently)
    assert (older.revision, older.asked) == (FIRST, FIRST)


def test_a_download_that_was_cut_off_goes_on(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("layerwise.datasets.downloads.CHUNK_BYTES", 100_000)
    hub.publish("tiny/vit", published(tmp_path / "network", size=300_000), FIRST)

    def break_off(name, done, total):
        if name == "model.safetensors" and done > 300_000:
            raise ConnectionResetError("the train is in a tunnel")

    with pytest.raises(WeightsError, match=r"could not be downloaded.*tunnel.*try again: what has arrived is kept"):
        library.add(library.look("tiny/vit"), break_off)
    hub.cut_after = 400_000
    library.add(library.look("tiny/vit"), silently)
    begins = [
        int(told.removeprefix("bytes=").partition("-")[0] or 0)
        for command, path, told in hub.requested
        if command == "GET" and path.endswith("safetensors")
    ]
    # Broken off by us, then by the hub; each time from what was here.
    assert begins[0] == 0
    assert begins[1:] == [400_000, 800_000]
    kept = library.folder_of(Manifest().entry("vision/tiny-vit")) / "model.safetensors"
    assert kept.read_bytes() == (tmp_path / "network" / "model.safetensors").read_bytes()


def test_what_is_kept_answers_without_the_hub(hub, tmp_path, monkeypatch):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    entry = library.add(library.look("tiny/vit"), silently)
    library.remove("vision/tiny-vit")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub.requested)
    again = library.add(library.look("tiny/vit"), silently)
    assert (again.revision, again.files) == (entry.revision, entry.files)
    with pytest.raises(WeightsError, match=r"is not on this machine, and the hub cannot be reached.*HF_HUB_OFFLINE"):
        library.look("tiny/other")
    assert len(hub.requested) == before
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert library.look("tiny/vit").repository.revision == FIRST
    with pytest.raises(WeightsError, match=r"hub cannot be reached.*layerwise hub add FOLDER"):
        library.look("tiny/other")


def test_removing_gives_the_room_back_if_asked(hub, tmp_path):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    entry = library.add(library.look("tiny/vit"), silently)
    assert library.remove("vision/tiny-vit")[1] == 0
    assert library.folder_of(entry).is_dir()
    library.add(library.look("tiny/vit"), silently)
    assert library.remove("vision/tiny-vit", files=True)[1] > 0
    with pytest.raises(WeightsError, match="is not in"):
        library.folder_of(entry)
    with pytest.raises(NotFoundError, match="no published model"):
        library.remove("vision/tiny-vit")


def test_a_gated_one_says_how_to_be_let_in(hub, tmp_path):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    hub.gated.add("tiny/vit")
    with pytest.raises(
        WeightsError, match=r"accepted its terms\. What to do: accept them at .*/tiny/vit.*hf auth login"
    ):
        library.look("tiny/vit")


def test_unknown_names_and_revisions_are_told_apart(hub, tmp_path):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    with pytest.raises(WeightsError, match="The hub does not give tiny/nobody"):
        library.look("tiny/nobody")
    with pytest.raises(WeightsError, match="tiny/vit has no such revision"):
        library.look("tiny/vit", revision="nowhere")
    with pytest.raises(InputError, match="There is no published model 'vit'"):
        library.look("vit")
    with pytest.raises(WeightsError, match=r"There is no folder /.*/nowhere"):
        library.look("./nowhere")
    with pytest.raises(NotFoundError, match="did you mean"):
        library.look("tiny/vit", task="image-clasification")


def test_what_differs_from_the_checksum_of_the_hub_is_refused(hub, tmp_path):
    hub.publish("tiny/vit", published(tmp_path / "network"), FIRST)
    hub.wrong_sha256 = True
    with pytest.raises(WeightsError, match="is not what the hub says"):
        library.add(library.look("tiny/vit"), silently)
    assert Manifest().entries() == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "data only.*Received: pytorch_model.bin, a pickle"),
        (lambda f: (f / "config.json").unlink(), "has no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "config.json of .* cannot be read"),
        (lambda f: (f / "preprocessor_config.json").unlink(), "lacks a file.*preprocessor_config.json"),
        (
            lambda f: published(f, architectures=["OwnForImageClassification"], auto_map={"AutoModel": "own.Own"}),
            "needs code of its own, which is never run here. Received: own.py",
        ),
        (lambda f: published(f, architectures=["OwnForImageClassification"]), "does not know the architecture"),
        (lambda f: published(f, architectures=["VitPoseForPoseEstimation"]), "No task here shows what"),
        (lambda f: published(f, id2label={"0": "cat"}), "two classes or more"),
    ],
)
def test_each_fault_is_one_sentence(tmp_path, change, said):
    pytest.importorskip("transformers")
    folder = published(tmp_path / "network")
    change(folder)
    with pytest.raises(WeightsError, match=said) as caught:
        library.look(str(folder))
    assert "\n" not in str(caught.value)


def test_weights_that_are_cut_off_are_refused(tmp_path):
    folder = published(tmp_path / "network")
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-8])
    with pytest.raises(WeightsError, match="is no safetensors file"):
        library.add(library.look(str(folder)), silently)


def test_there_is_a_budget_and_an_end_of_the_disk(hub, tmp_path, monkeypatch):
    hub.publish("tiny/vit", published(tmp_path / "network", size=100_000), FIRST)
    offer = library.look("tiny/vit")
    monkeypatch.setenv(library.BUDGET, "100K")
    with pytest.raises(DataError, match=r"at most 100\.0 KiB together.*hub remove NAME --files"):
        library.add(offer, silently)
    monkeypatch.delenv(library.BUDGET)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match="does not fit on the disk"):
        library.add(offer, silently)


def test_without_torch_it_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("LAYERWISE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'needs the package torch.*pip install "layerwise\[hub\]"'):
        library.require_framework()


def test_two_folders_of_one_name_are_two_models(tmp_path):
    one, other = published(tmp_path / "a" / "net"), published(tmp_path / "b" / "net")
    names = [library.add(library.look(str(folder)), silently).name for folder in (one, other, one)]
    assert names == ["vision/local-net", "vision/local-net-2", "vision/local-net"]
    assert list(Manifest().entries()) == ["vision/local-net", "vision/local-net-2"]


def test_a_list_that_cannot_be_read_says_so(home):
    Manifest().path.parent.mkdir(parents=True)
    Manifest().path.write_text('{"format": 99}')
    with pytest.raises(WeightsError, match=r"The list of published models .* cannot be read"):
        Manifest().entries()
