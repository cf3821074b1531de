import pytest
from fresh_process import run_python

import layerwise
from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.workspace import open_workspace


def test_everything_is_below_the_home_that_was_asked_for(tmp_path):
    with open_workspace(tmp_path / "house") as workspace:
        assert workspace.home == tmp_path / "house"
        assert workspace.runs.home == workspace.versions.home == workspace.home
        assert not workspace.home.exists()  # reading makes nothing
        assert workspace.predictor.states().keys() == {
            f"{spec.name}:{variant.name}"
            for spec in workspace.registry.snapshot().models.values()
            for variant in spec.variants
        }


def test_the_home_follows_the_variable(home):
    assert open_workspace().home == home
    assert open_workspace("relative").home.is_absolute()


def test_the_facade_opens_it(home):
    workspace = layerwise.open_workspace()
    with pytest.raises(NotFoundError):
        workspace.predictor.predict("no/such", "shoe.png")


def test_closing_closes_the_predictor(tmp_path):
    with open_workspace(tmp_path) as workspace:
        pass
    with pytest.raises(LayerwiseError, match="closed"):
        workspace.predictor.predict("no/such", "shoe.png")


def test_opening_imports_nothing_heavy(tmp_path):
    done = run_python(f"""
        import sys
        import layerwise
        workspace = layerwise.open_workspace({str(tmp_path)!r})
        heavy = ("keras", "tensorflow", "numpy", "PIL", "gradio", "safetensors")
        print([name for name in heavy if name in sys.modules])
    """)
    assert done.stdout.strip() == "[]", done.stderr
