"""The package list, the entry points, the folders and the import contracts agree."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import layerwise

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGINS = sorted(folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "__init__.py").exists())


def test_every_plugin_folder_is_packaged_and_has_an_entry_point():
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["core/layerwise", *[f"plugins/{name}" for name in PLUGINS], "apps/layerwise_app"]
    assert all((ROOT / package / "__init__.py").exists() for package in packages)
    points = PROJECT["project"]["entry-points"]["layerwise.plugins"]
    assert points == {name.removeprefix("layerwise_"): name for name in PLUGINS}


def test_the_import_contracts_name_every_package():
    linter = PROJECT["tool"]["importlinter"]
    assert linter["root_packages"] == ["layerwise", *PLUGINS, "layerwise_app"]
    contracts = linter["contracts"]
    forbidden = {item["name"]: item["forbidden_modules"] for item in contracts if item["type"] == "forbidden"}
    assert all(set(PLUGINS) <= set(modules) for name, modules in forbidden.items() if "Plugins" not in name)
    assert [item["modules"] for item in contracts if item["type"] == "independence"] == [PLUGINS]


def test_dependencies_have_lower_bounds_and_torch_is_an_extra():
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(requirement for extra in extras for requirement in extra)]
    assert all(">=" in requirement for requirement in wanted)
    assert not any(requirement.startswith("torch") for requirement in PROJECT["project"]["dependencies"])


def imported_by(statement):
    code = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_facade_imports_nothing_heavy():
    heavy = {"keras", "tensorflow", "numpy", "PIL", "gradio", "typer", "rich", "safetensors", "pooch"}
    assert not imported_by("import layerwise") & heavy


@pytest.mark.slow
def test_the_wheel_holds_weights_examples_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    wheel = next(tmp_path.glob("layerwise-*.whl"))
    names = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(r"layerwise_vision/weights/fashion-conv/weights-\w+\.safetensors", name) for name in names)
    assert any(name.startswith("layerwise_vision/examples/") for name in names)
    templates = (ROOT / "core" / "layerwise" / "scaffold" / "templates").rglob("*.*")
    assert {str(path.relative_to(ROOT / "core")) for path in templates} <= set(names)
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"layerwise", *PLUGINS, "layerwise_app", f"layerwise-{layerwise.__version__}.dist-info"}
    assert wheel.stat().st_size < 60 * 2**20
