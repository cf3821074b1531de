"""The site of the documents: built without a warning, whole, and from one place."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def build_site(folder):
    """Build the site below a folder, and say where it is."""
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    options = ["--fail-on-warning", "--keep-going", "-c", str(ROOT / "docs"), "-d", str(folder / "doctrees")]
    words = [sys.executable, "-m", "sphinx", *options, str(ROOT), str(folder / "pages")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "pages"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build_site(tmp_path_factory.mktemp("site"))


class Loaded(HTMLParser):
    """What a page loads by itself, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        named = {name: value or "" for name, value in attrs}
        self.places.add(named.get("id", ""))
        self.loads += [named[name] for name in ("src", "srcset", "data", "poster") if name in named]
        if tag == "link" and named.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads.append(named["href"])
        if tag == "a" and "href" in named:
            self.links.append(named["href"])


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, read."""
    return {page: Loaded(page) for page in site.rglob("*.html")}


def is_elsewhere(address):
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def test_every_document_is_a_page(site, pages):
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert len(documents) > 25
    assert {site / path.relative_to(ROOT).with_suffix(".html") for path in documents} <= pages.keys()


def test_no_page_loads_anything_from_another_host(site, pages):
    for page, loaded in pages.items():
        assert not [address for address in loaded.loads if is_elsewhere(address) and not address.startswith("data:")], (
            page
        )
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"url\(([^)]*)\)|@import\s+['\"]([^'\"]+)", sheet.read_text(encoding="utf-8"))
        for address in ("".join(pair).strip("'\" ") for pair in addresses):
            assert address.startswith("data:") or not is_elsewhere(address), sheet


def test_every_link_and_picture_of_the_site_is_in_it(pages):
    for page, loaded in pages.items():
        for link in (*loaded.links, *loaded.loads):
            if is_elsewhere(link):
                continue
            parts = urlsplit(link)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_file(), f"{page.name} links to {link}"
            if parts.fragment and target.suffix == ".html":
                assert unquote(parts.fragment) in pages[target].places, f"{page.name} links to {link}"


def test_source_files_that_documents_name_come_with_the_site(site):
    table = ROOT / "apps" / "layerwise_app" / "web" / "access" / "table.py"
    [copy] = site.rglob("table.py")
    assert copy.read_bytes() == table.read_bytes()
