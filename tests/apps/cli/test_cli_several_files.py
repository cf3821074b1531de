"""Several files on the command line: one after the other, or a folder of them."""

import pytest

from layerwise.errors import InputError
from layerwise.tasks.fields import Field
from layerwise_app.cli.models import questions

FIELDS = (
    Field(name="image", kind="image"),
    Field(name="others", kind="files", optional=True),
    Field(name="count", kind="number", optional=True),
)


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "more").mkdir()
    return tmp_path


def test_files_are_named_one_by_one_or_as_a_folder(folder):
    first, second = folder / "a.png", folder / "b.png"
    ((called, inputs),) = questions(FIELDS, [str(first), f"others={second}", f"others={first}", "count=3"])
    assert called == str(first)
    assert inputs == {"image": first, "others": [second, first], "count": 3}
    ((_, inputs),) = questions(FIELDS, [str(first), f"others={folder}"])
    assert inputs["others"] == [first, second]
    assert questions(FIELDS, [str(first)])[0][1] == {"image": first}


def test_files_may_be_all_that_is_asked(folder):
    ((_, inputs),) = questions(FIELDS[1:2], [f"others={folder / 'a.png'}"])
    assert inputs == {"others": [folder / "a.png"]}
    needed = (Field(name="files", kind="files"),)
    ((_, inputs),) = questions(needed, [str(folder / "a.png"), str(folder / "b.png")])
    assert inputs == {"files": [folder / "a.png", folder / "b.png"]}


def test_a_file_that_is_not_there_is_said(folder):
    with pytest.raises(InputError, match=r"There is no file .*none.png"):
        questions(FIELDS, [str(folder / "a.png"), f"others={folder / 'none.png'}"])
