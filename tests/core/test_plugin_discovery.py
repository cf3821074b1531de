"""Which plugins there are, before anything is loaded: in what order, whose they are, and what a damaged file costs."""

import sys
from importlib.metadata import Distribution, EntryPoint

import pytest
from plugins_sample.samples import BUILT_IN, GOOD, describe, install

from layerwise.plugins.discovery import discover, load_one
from layerwise.plugins.files import PluginFile
from layerwise.plugins.loading import PluginReport

DAMAGED = b"[layerwise.plugins]\nno equals sign\n"


def found(home, name):
    """What is discovered under that name: a plugin that is there once."""
    ((point, plugin),) = [(point, plugin) for point, plugin in discover(home) if plugin.report.name == name]
    return point, plugin


def names(home):
    """Those that do not come with Layerwise, in their order."""
    return [plugin.report.name for _, plugin in discover(home) if not plugin.report.built_in]


def test_what_is_known_of_a_plugin_before_it_is_loaded(site, home):
    install(site, "raise SystemError", name="some", distribution="Some.Plugin", version="2.5")
    point, plugin = found(home, "some")
    assert point == EntryPoint(name="some", value="sample_some", group="layerwise.plugins")
    assert plugin.report == PluginReport(name="some", distribution="Some.Plugin", version="2.5", built_in=False)
    assert "sample_some" not in sys.modules


def test_the_users_own_files_are_plugins_too(site, home):
    path = home / "plugins" / "own_pets.py"
    path.parent.mkdir()
    path.write_text(GOOD)
    point, plugin = found(home, "own-pets")
    assert point == PluginFile(path=path)
    assert plugin.report == PluginReport(name="own-pets", distribution=str(path), version="", built_in=False)
    assert names(home) == ["toy", "own-pets"], "after what is installed"
    assert names(home.parent) == ["toy"], "of another home"


def test_built_ins_come_first_and_the_others_as_installers_name_them(site, home):
    """In the order of the alphabet, where case, dots, dashes and underscores make no difference."""
    for distribution in ("aaab", "AAA_a", "aaa.b", "zz", "Zy"):
        install(site, GOOD, name=f"of-{distribution}", distribution=distribution)
    describe(site, "aaa", "[layerwise.plugins]\nsecond = b\nfirst = a\n")
    plugins = [plugin.report for _, plugin in discover(home)]
    assert tuple(report.name for report in plugins[: len(BUILT_IN)]) == tuple(BUILT_IN)
    assert {report.built_in for report in plugins[: len(BUILT_IN)]} == {True}
    assert {report.distribution for report in plugins[: len(BUILT_IN)]} == {"layerwise"}
    others = [report.name for report in plugins if not report.built_in and report.name != "toy"]
    assert others == ["first", "second", "of-AAA_a", "of-aaa.b", "of-aaab", "of-Zy", "of-zz"]


def test_other_entry_points_are_none_of_our_business(site, home):
    describe(site, "unrelated", "[console_scripts]\nsome = module:main\n\n[layerwise.pluginsets]\nother = module\n")
    assert names(home) == ["toy"]


@pytest.mark.parametrize("content", [DAMAGED, b"\xff" + DAMAGED])
def test_a_distribution_whose_entry_points_cannot_be_read_is_a_plugin_that_has_failed(site, home, content):
    describe(site, "damaged-plugin", content, version="1.2")
    _, plugin = found(home, "damaged-plugin")
    report = plugin.report
    assert (report.distribution, report.version, report.built_in) == ("damaged-plugin", "1.2", False)
    assert (report.status, plugin.manager, dict(plugin.registered)) == ("failed", None, {})
    assert load_one("damaged-plugin", home).report == report, "by itself it says the same"


def test_a_file_of_which_nothing_can_be_read_hides_no_plugin(site, home):
    info = describe(site, "circular", "")
    (info / "entry_points.txt").unlink()
    (info / "entry_points.txt").symlink_to("entry_points.txt")
    assert names(home) == ["toy"]


@pytest.mark.parametrize(
    ("metadata", "distribution", "version"),
    [
        (b"Name: other\nVersion: 2.0\n", "other", "2.0"),
        (b"Name: other\n", "other", "1.0rc1-2"),
        (b"", "bare_plugin", "1.0rc1-2"),
        (b"\xff", "bare_plugin", "1.0rc1-2"),
        (None, "bare_plugin", "1.0rc1-2"),
    ],
)
def test_the_folder_says_what_the_metadata_does_not(site, home, metadata, distribution, version):
    info = describe(site, "bare-plugin", "[layerwise.plugins]\nbare = sample_bare\n", version="1.0rc1-2")
    if metadata is None:
        (info / "METADATA").unlink()
    else:
        (info / "METADATA").write_bytes(metadata)
    report = found(home, "bare")[1].report
    assert (report.distribution, report.version) == (distribution, version)


@pytest.mark.parametrize("metadata", [b"", b"\xff"])
def test_a_folder_without_a_version(site, home, metadata):
    (site / "bare.egg-info").mkdir()
    (site / "bare.egg-info" / "PKG-INFO").write_bytes(metadata)
    (site / "bare.egg-info" / "entry_points.txt").write_text("[layerwise.plugins]\nbare = sample_bare\n")
    report = found(home, "bare")[1].report
    assert (report.distribution, report.version) == ("bare", "?")


class Nowhere(Distribution):
    """What a finder of another kind may give: a distribution in no folder, whose entry points are damaged."""

    def read_text(self, filename):
        return DAMAGED.decode() if filename == "entry_points.txt" else None

    def locate_file(self, path):
        raise NotImplementedError


class Finder:
    """Finds no module, and that distribution."""

    @staticmethod
    def find_spec(*_):
        return None

    @staticmethod
    def find_distributions(_):
        return [Nowhere()]


def test_a_distribution_that_is_in_no_folder(site, home, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    report = found(home, "unknown")[1].report
    assert (report.distribution, report.version, report.status) == ("unknown", "?", "failed")


def test_one_is_loaded_without_the_others(site, home):
    install(site, GOOD, name="wanted")
    install(site, "raise SystemError", name="other")
    plugin = load_one("wanted", home)
    assert (plugin.report.status, plugin.report.models) == ("loaded", ("sample/good",))
    assert "sample_other" not in sys.modules
    assert load_one("unheard-of", home) is None


def test_one_of_the_users_own_files_is_loaded(site, home, monkeypatch):
    path = home / "plugins" / "own_pets_alone.py"
    path.parent.mkdir()
    path.write_text(GOOD)
    monkeypatch.setattr(sys, "path", [*sys.path])
    try:
        plugin = load_one("own-pets-alone", home)
    finally:
        sys.modules.pop("own_pets_alone", None)
    assert (plugin.report.status, plugin.report.models) == ("loaded", ("sample/good",))


def test_of_two_with_one_name_the_first_is_loaded(site, home):
    install(site, GOOD, name="twin", module="twin_of_a", distribution="a-twin")
    install(site, "raise SystemError", name="twin", module="twin_of_b", distribution="b-twin")
    plugin = load_one("twin", home)
    assert plugin.report.module == "twin_of_a"
