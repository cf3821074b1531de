"""Zip archives of strangers, and the folders of data that users brought."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import quota
from layerwise.datasets import archives, uploads
from layerwise.datasets.archives import safe_name, unpack
from layerwise.datasets.uploads import UploadStore
from layerwise.errors import DataError, NotFoundError, RunError
from layerwise.temporary import temporary_folder

GOOD = {"cat/1.png": b"one", "dog/2.png": b"two"}


def make_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "inside" / "target"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path / "home")


# Archives


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_files_are_unpacked(tmp_path, target, compression):
    archive = make_zip(tmp_path / "a.zip", {"pets/": b"", **GOOD, "größe/日本.txt": b"x"}, compression)
    assert unpack(archive, target) == ()
    assert files_below(target) == {**GOOD, "größe/日本.txt": b"x"}


def test_hidden_files_and_archives_in_the_archive_are_left_out(tmp_path, target):
    extra = {"__MACOSX/cat/._1.png": b"x", ".git/config": b"x", "cat/Thumbs.db": b"x", "more/deep.ZIP": b"PK"}
    assert unpack(make_zip(tmp_path / "a.zip", {**GOOD, **extra}), target) == ("more/deep.ZIP",)
    assert files_below(target) == GOOD


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "a/../../evil.txt",
        "/etc/evil.txt",
        "\\evil.txt",
        "C:\\evil.txt",
        "c:evil.txt",
        "a\\..\\..\\evil.txt",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, target, name):
    archive = make_zip(tmp_path / "a.zip", {**GOOD, name: b"evil"})
    with pytest.raises(DataError, match="lead out of its folder"):
        unpack(archive, target)
    assert files_below(tmp_path) == {"a.zip": archive.read_bytes()}


@pytest.mark.parametrize("name", ["a/CON", "nul.txt/x.png", "Aux.png", "com1", "a/ . /b", "x" * 300, "d/" * 600 + "x"])
def test_names_that_some_system_cannot_have_are_refused(tmp_path, target, name):
    with pytest.raises(DataError, match=r"Windows keeps|empty or too long"):
        unpack(make_zip(tmp_path / "a.zip", {name: b"x"}), target)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_safe_name_stays_below_its_folder_and_is_its_own_safe_name(name):
    try:
        safe = safe_name(name, "a.zip")
    except DataError:
        return
    assert not safe.startswith("/")
    assert not {".", "..", ""} & set(safe.split("/")) or safe == ""
    assert safe == "" or safe_name(safe, "a.zip") == safe


@pytest.mark.parametrize(
    "names", [("a/x.png", "A/y.png"), ("a/x.png", "a/X.png"), ("a", "a/x.png"), ("a/\u00e9.png", "a/e\u0301.png")]
)
def test_names_that_are_the_same_on_some_systems_are_refused(tmp_path, target, names):
    for order in (names, names[::-1]):
        with pytest.raises(DataError, match="the same on some systems"):
            unpack(make_zip(tmp_path / "a.zip", dict.fromkeys(order, b"x")), target)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("cat/1.png", b"one")
        archive.writestr("cat/1.png", b"two")
    with pytest.raises(DataError, match="a name twice"):
        unpack(tmp_path / "a.zip", target)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, target, kind):
    info = zipfile.ZipInfo("cat/link.png")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="a link or a device"):
        unpack(tmp_path / "a.zip", target)


def test_encrypted_archives_are_refused(tmp_path, target):
    content = bytearray(make_zip(tmp_path / "a.zip", GOOD).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        content[start + offset] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        unpack(tmp_path / "a.zip", target)


def test_names_in_utf_8_that_do_not_say_so_are_read(tmp_path, target):
    archive = make_zip(tmp_path / "a.zip", {"größe/1.png": b"x"})
    content = archive.read_bytes()
    for signature, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        start = content.find(signature) + offset
        content = content[:start] + bytes([content[start] & ~0x8]) + content[start + 1 :]
    archive.write_bytes(content)
    unpack(archive, target)
    assert set(files_below(target)) == {"größe/1.png"}


def test_names_that_say_utf_8_and_are_not_are_refused(tmp_path, target):
    archive = make_zip(tmp_path / "a.zip", {"größe.png": b"x"})
    archive.write_bytes(archive.read_bytes().replace("ö".encode(), b"\xff\xfe"))
    with pytest.raises(DataError, match="damaged"):
        unpack(archive, target)


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "method", "empty"])
def test_damaged_archives_are_refused(tmp_path, target, damage):
    content = make_zip(tmp_path / "a.zip", {"1.png": os.urandom(5000)}, zipfile.ZIP_STORED).read_bytes()
    broken = {
        "text": b"this is no archive",
        "cut": content[:-30],
        "flipped": content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        # Deflate64, which Python does not know.
        "method": content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x09"),
        "empty": b"",
    }[damage]
    (tmp_path / "a.zip").write_bytes(broken)
    with pytest.raises(DataError, match=r"a\.zip"):
        unpack(tmp_path / "a.zip", target)


def test_a_bomb_is_refused_while_it_is_read(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    archive = make_zip(tmp_path / "a.zip", {"zeros.png": bytes(30 * 2**20)})
    assert archive.stat().st_size * archives.LARGEST_RATIO < 30 * 2**20
    tracemalloc.start()
    with pytest.raises(DataError, match="too large"):
        unpack(archive, target)
    assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    tracemalloc.stop()
    assert sum(map(len, files_below(target).values())) < 10 * 2**20


def test_a_bomb_whose_headers_lie_is_refused_as_well(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    size = 30 * 2**20
    content = make_zip(tmp_path / "a.zip", {"zeros.png": bytes(size)}).read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(DataError):
        unpack(tmp_path / "a.zip", target)
    assert sum(map(len, files_below(target).values())) <= 100


def test_many_files_that_share_their_bytes_are_refused(tmp_path, target, monkeypatch):
    """The bomb of David Fifield: entries of the list that all point to the same compressed bytes."""
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", bytes(2**19))
        first = archive.infolist()[0]
        for index in range(1, 100):
            again = zipfile.ZipInfo(f"{index}.png")
            for field in ("header_offset", "compress_type", "CRC", "compress_size", "file_size", "external_attr"):
                setattr(again, field, getattr(first, field))
            archive.filelist.append(again)
    with pytest.raises(DataError):
        unpack(tmp_path / "a.zip", target)
    assert sum(map(len, files_below(target).values())) <= 2**20


def test_too_many_files_are_refused(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(DataError, match="too many files"):
        unpack(make_zip(tmp_path / "a.zip", GOOD), target)


def test_a_list_of_contents_that_would_fill_the_memory_is_not_read(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_DIRECTORY", 60)
    with pytest.raises(DataError, match="list of contents is too long"):
        unpack(make_zip(tmp_path / "a.zip", GOOD), target)


@given(st.binary(max_size=200), st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_any_damage_is_a_sentence(tmp_path_factory, noise, place):
    folder = tmp_path_factory.mktemp("any")
    archive = make_zip(folder / "a.zip", GOOD)
    content = archive.read_bytes()
    archive.write_bytes(content[:place] + noise + content[place + len(noise) :])
    (folder / "target").mkdir()
    with contextlib.suppress(DataError):
        unpack(archive, folder / "target")
    assert set(files_below(folder)) >= {"a.zip"}
    assert all(name == "a.zip" or name.startswith("target/") for name in files_below(folder))


# Uploads


def test_an_archive_becomes_a_folder_that_is_listed_found_and_deleted(tmp_path, store):
    archive = make_zip(tmp_path / "My Pets.zip", {**GOOD, "more.zip": b"PK"})
    upload = store.add([archive])
    assert upload.id.startswith("my-pets-")
    assert upload.folder == store.folder / upload.id
    assert files_below(upload.folder).keys() == {*GOOD, ".upload.json"}
    assert (upload.files, upload.num_bytes, upload.left_out) == (
        ("My Pets.zip",),
        archive.stat().st_size,
        ("more.zip",),
    )
    assert store.list() == [upload]
    assert store.locate(upload.id) == store.locate(str(archive)) == upload.folder
    assert store.locate("nowhere") == Path("nowhere")
    assert archive.exists()
    store.delete(upload.id)
    assert list(store.folder.iterdir()) == []
    with pytest.raises(NotFoundError):
        store.get(upload.id)


def test_the_same_data_are_there_once(tmp_path, store):
    archive = make_zip(tmp_path / "pets.zip", GOOD)
    assert store.add([archive]) == store.add([archive])
    other = store.add([make_zip(tmp_path / "pets.zip", {**GOOD, "x/3.png": b"3"})])
    assert len(store.list()) == 2
    assert other.id.startswith("pets-")


def test_tables_lie_side_by_side(tmp_path, store):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    upload = store.add([tmp_path / "train.csv", tmp_path / "test.csv"], name="../Prices!")
    assert upload.id.startswith("prices-")
    assert files_below(upload.folder).keys() == {"train.csv", "test.csv", ".upload.json"}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "no file"),
        (["a.exe"], "cannot be used"),
        ([".zip"], "cannot be used"),
        (["a.zip", "b.csv"], "comes alone"),
        (["a.csv", "A.csv"], "same name"),
        (["absent.csv"], "no such file"),
    ],
)
def test_other_files_are_refused_and_nothing_is_left(tmp_path, store, names, text):
    for name in names:
        if not name.startswith("absent"):
            (tmp_path / name).write_text("a,b\n")
    with pytest.raises(DataError, match=text):
        store.add([tmp_path / name for name in names])
    assert store.list() == []
    assert not store.folder.exists() or list(store.folder.iterdir()) == []


def test_a_bad_archive_leaves_nothing(tmp_path, store):
    with pytest.raises(DataError):
        store.add([make_zip(tmp_path / "a.zip", {"ok.png": b"x", "../evil": b"x"})])
    assert list(store.folder.iterdir()) == []


def test_uploads_are_limited_by_size_and_by_the_disk(tmp_path, store, monkeypatch):
    table = tmp_path / "a.csv"
    table.write_bytes(b"a,b\n" * 1000)
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 3999)
    with pytest.raises(DataError, match="too large"):
        store.add([table])
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 4000)
    assert store.add([table]).num_bytes == 4000
    monkeypatch.setattr(quota, "RESERVE_BYTES", 2**62)
    with pytest.raises(DataError, match="does not fit on the disk"):
        store.add([table])


@pytest.mark.parametrize("identifier", ["", "..", "../x", ".temporary-1", "/etc", "a/b", "a\0b"])
def test_an_id_never_leads_elsewhere(store, identifier):
    with pytest.raises(NotFoundError):
        store.get(identifier)


def test_folders_of_others_are_no_uploads(store):
    (store.folder / "mine").mkdir(parents=True)
    (store.folder / "mine" / "keep.txt").write_text("x")
    assert store.list() == []
    with pytest.raises(NotFoundError):
        store.delete("mine")


def test_data_that_a_run_trains_on_are_kept(tmp_path, store):
    from layerwise.registry import Registry
    from layerwise.runs import RunStore

    upload = store.add([make_zip(tmp_path / "pets.zip", GOOD)])
    spec = Registry(store.home).snapshot().model("vision/fashion")
    run = RunStore(store.home).create(spec, None, spec.variants[0].config, data=upload.folder)
    with pytest.raises(RunError, match="stop it first"):
        store.delete(upload.id)
    run.append("stopped")
    store.delete(upload.id)


KILLED = """
import sys, time
from pathlib import Path
from layerwise.temporary import temporary_folder

with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "part").write_bytes(bytes(1000))
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_others_write_is_not(tmp_path, store):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(store.folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    with temporary_folder(store.folder) as mine:
        assert len([path for path in store.folder.iterdir() if path.is_dir()]) == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert store.list() == []
        store.add([make_zip(tmp_path / "pets.zip", GOOD)])
        assert mine.is_dir()
        assert len([path for path in store.folder.iterdir() if path.is_dir()]) == 2
    assert len(list(store.folder.iterdir())) == 1
