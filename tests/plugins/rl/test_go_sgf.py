"""Games of Go as SGF."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.errors import InputError
from layerwise_rl.go.position import LETTERS
from layerwise_rl.go.sgf import Game, read, write

SIZES = st.sampled_from([5, 7, 9, 13, 19])


@st.composite
def games(draw):
    size = draw(SIZES)
    point = st.builds(lambda column, row: f"{LETTERS[column]}{row + 1}", *[st.integers(0, size - 1)] * 2)
    moves = draw(st.lists(st.one_of(point, st.just("pass")), max_size=40))
    return Game(
        size,
        draw(st.integers(-20, 20)) / 2,
        tuple(moves),
        draw(st.sampled_from(["", "B+3.5", "W+R"])),
        black=draw(st.sampled_from(["", "a \\ [b]"])),
    )


@settings(deadline=None)
@given(games())
def test_what_is_written_is_read_again(game):
    assert read(write(game)) == game


def test_a_file_of_another_program():
    text = """(;FF[4]GM[1]SZ[9]KM[6.5]
    PB[A \\] B]C[a comment (with ; and \\) in it)]
    ;B[ee] C[good] ;W [gc] ;B[tt](;W[cc];B[dd])(;W[aa]))"""
    assert read(text) == Game(9, 6.5, ("E5", "G7", "pass", "C7", "D6"), black="A ] B")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no SGF"),
        ("hello", "no SGF"),
        ("(;GM[2]SZ[8])", "another sort"),
        ("(;GM[1]SZ[9]HA[2]AB[cc][gg];W[ee])", "beforehand"),
        ("(;SZ[nine])", "size or the komi of the game cannot be used"),
        ("(;SZ[9];B[ee];B[dd])", "twice"),
        ("(;SZ[9];B[zz])", "two letters"),
        ("(;SZ[9];B[e])", "two letters"),
        ("(" * 300_000, "too long"),
    ],
)
def test_what_cannot_be_read_is_explained(text, said):
    with pytest.raises(InputError, match=said):
        read(text)
