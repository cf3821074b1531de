"""Sentences in English and German, short and long: those of Tatoeba, and those of the catalogues of free programs.

Tatoeba's copy ends at seven words in English. The longer sentences are of two games that tell stories, a third one that
explains itself at length, and the help of an office suite, each in one release and by its own translators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.specs import DatasetSpec, File, Source
from layerwise_language.translation import tatoeba
from layerwise_language.translation.catalogues import read_catalogues

if TYPE_CHECKING:
    from layerwise.splits import Split

LONGER = "test-longer"
"""The split of test sentences that are longer than Tatoeba's."""
MOST_WORDS_OF_SHORT = 7


def read_tsv(files: Mapping[str, Path]) -> dict[str, Split]:
    """The splits "train", of both, "test", of Tatoeba as `tatoeba.read_tsv` gives it, and "test-longer".

    The same hash of an English sentence chooses for both tests, so that neither is trained on in the other's data. A
    pair whose German sentence stands in a test is not in "train", nor one that differs from "test-longer" in a word.

    Returns:
        Inputs and targets are texts, arrays of objects [pairs].

    Raises:
        DataError: A file is not what it should be.
    """
    return _with_catalogues(tatoeba.read_tsv(files), files)


def read_xz(files: Mapping[str, Path]) -> dict[str, Split]:
    """As `read_tsv`, with Tatoeba's file compressed by xz."""
    return _with_catalogues(tatoeba.read_xz(files), files)


def _with_catalogues(splits: Mapping[str, Split], files: Mapping[str, Path]) -> dict[str, Split]:
    short = list(zip(splits["train"].inputs, splits["train"].targets, strict=True))
    catalogues = [files[name] for name in sorted(files) if name.endswith(".po")]
    pairs = _without_repetition(read_catalogues(catalogues), short)
    longer = [pair for pair in pairs if tatoeba.is_test(pair[0]) and len(pair[0].split()) > MOST_WORDS_OF_SHORT]
    known = {tatoeba.words_of(german) for german in splits["test"].targets}
    tested = {key for pair in longer for text in pair for key in _nearly(text)}
    train = [
        (english, german)
        for english, german in (*short, *pairs)
        if not tatoeba.is_test(english)
        and tatoeba.words_of(german) not in known
        and tested.isdisjoint(_nearly(english) | _nearly(german))
    ]
    return {"train": tatoeba.split_of(train), "test": splits["test"], LONGER: tatoeba.split_of(longer)}


def _nearly(text: str) -> set[str]:
    """The words of a sentence, and the same without one of them: two sentences that differ in a word have one of these
    in common. The texts of a program often repeat each other so."""
    words = tatoeba.words_of(text).split()
    return {" ".join(words), *(" ".join(words[:place] + words[place + 1 :]) for place in range(len(words)))}


def _without_repetition(pairs: Iterable[tuple[str, str]], before: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those pairs that have not the words of one before, on both sides."""
    known, found = {_words_of(pair) for pair in before}, []
    for pair in pairs:
        words = _words_of(pair)
        if words not in known:
            known.add(words)
            found.append(pair)
    return found


def _words_of(pair: tuple[str, str]) -> tuple[str, str]:
    return tatoeba.words_of(pair[0]), tatoeba.words_of(pair[1])


def _files(address: str, path: str, rows: Iterable[tuple[str, int, str]]) -> tuple[File, ...]:
    """Files of a repository at one release, each a row: what stands for * in the path, its size, its SHA-256."""
    names = [(path.replace("*", part), size, sha256) for part, size, sha256 in rows]
    return tuple(File(name=name, url=f"{address}/{name}", sha256=sha256, size=size) for name, size, sha256 in names)


_WESNOTH = (
    ("", 385_277, "597f885871eca05e91465469436571bf39add0826f0fa0b9bf720be6aced5c00"),
    ("-did", 313_265, "1c68e57ff12f494c16c29669e5e1442648e2a754c78944f5a0f433960fd1343f"),
    ("-dm", 251_598, "ed561fc5fe1771c42d7d398780709443bf083838d44af7ea8ad1388f5e2bf467"),
    ("-httt", 423_096, "79c66b14f63499e2e07d3a82813e6cf5cd14de7586912d56de80bd928671f1a7"),
    ("-l", 147_503, "7a81a7f505f1c5a379b94b50b1c84b9ea91b3dac4da0150a95af262c4fd1a8d4"),
    ("-low", 238_607, "12b9a11d5c5526f8ef803f57bc5f696a5a322dc0bb64e586f5b7b0d9e0398a97"),
    ("-manual", 244_035, "5bf46dfb67d21ab7c72672c1b865ceda2e69e52ef1c7c0bd7d14953fd9e9042a"),
    ("-multiplayer", 132_240, "527b287b4a1e1b0d8044079ece2a11d13f54f00a69040eac59da319b631c598f"),
    ("-nr", 466_669, "2054bb30d22e9e5ecc723e3da216f2b7884731063fc4dce31e511316a0037329"),
    ("-sof", 258_813, "fec00d8a6132ebf062982cc178e4ffc22014dc8a7b953a9d49c6234e53228a0a"),
    ("-sota", 218_520, "597eb63f84102f22f9af314dbd2035abd6df6a163d9963dc58be7743f49f56b6"),
    ("-tb", 76_616, "7afcad90b07e621f2b253e39d9c2502462e81124356295307a98f3dafbb61f8f"),
    ("-thot", 159_036, "a24852f89f8325dc4a8d3ef9077e8761048baaa98a9474d724710d0e6dd54de2"),
    ("-trow", 328_981, "78dd74cb786220dd3c7ea084d864e026eea68a77bc8b5a54e898eb136977b917"),
    ("-tutorial", 106_859, "9dbce469531e45ac011854f87c86fb719ef34bd7f060b4bdb9aaefc8d55bdf55"),
    ("-utbs", 889_036, "c431bee3f4c9a4174c9e126f57711dc35b97948f879999e33da0b963d7433697"),
)
"""Battle for Wesnoth 1.16.9: its campaigns, without those that are translated very freely, its manual and messages."""
_FREEDROID = (
    ("po-data", 177_979, "f5006e22462bac4bb7241081dacc64662b8404e9670730ef04b0fab80175c46f"),
    ("po-dialogs", 1_252_606, "2560a287dda5874405851f6a41e56db15f26e00e49d399ec9ae28efd2d00bbfd"),
)
"""FreedroidRPG 1.0: its dialogues, and what it says of things."""
_WIDELANDS = (
    ("map_along_the_river.wmf", 28_204, "31452abf0cd433ff262c3c0c629d7ec2955ce8585c3535211e935d2a7492ea6c"),
    ("map_the_green_plateau.wmf", 9_175, "089595d3960a694b8962b68135d510a387f593544d394d25b69dbc989412c809"),
    ("maps", 60_643, "7737a0dab328a3fcc236f1d9dcdf6a619c8de6cabd98fee154559db451143c46"),
    ("scenario_atl01.wmf", 57_210, "a3ece9f54a6a5bcf0f9334994a32a8953f910446ea73e4fb47a1e980c1b66a6d"),
    ("scenario_atl02.wmf", 70_857, "cfbf9245c87525b271e1d751cff5fd6f070d5500ba799b97d61f0e0f539b1b63"),
    ("scenario_bar01.wmf", 55_381, "eaa086a75f65abb6e0716bc768afed387a055f59385f9dbcbcf6109a6059bc8c"),
    ("scenario_bar02.wmf", 37_955, "ff120838bb6bd5c2325435fcc021190d65c5438910aba8e16d378090237b148b"),
    ("scenario_emp01.wmf", 21_949, "d7ff58623973f477229c77f49294f27f030bb9b76451d179aeb28e4a7d44db91"),
    ("scenario_emp02.wmf", 26_154, "55a240c79d59830d5ca1fd9d6c572694c1c99895699fbd3ef4d120a1c3dca78f"),
    ("scenario_emp03.wmf", 53_616, "5a8401b37fbe18b89d00abd06cd192d3336f1f3a4cd076002b2c386a4ac04b94"),
    ("scenario_emp04.wmf", 80_926, "0f6f487e04c0b22df1e545cc1d61dd5634316ac2c1089fbe593275a5f1f54019"),
    ("scenario_fri01.wmf", 53_067, "0843f14dd346f6b2efdf4b7d5764c138dc74a96b5042256475ee3dad7dcac49c"),
    ("scenario_fri02.wmf", 49_360, "8fd5f43e4766b96baa9287c44ff50ba1c3d5e150c9ab42f056564838b4b69cb0"),
    ("scenario_fri03.wmf", 38_907, "b37205f8d67b7aef5b2c91e40f18ebdddbae35f6e628210bc29fe99e9db56a6f"),
    ("scenario_fri04.wmf", 38_103, "9ba757544272f5df58b9841eb288bd6bb6ee438cb76f5fde5759aa0d6fb56d32"),
    ("scenario_fri05.wmf", 47_525, "051077834fd7f5e510e044844ceffb264be58e7c07730fb6b99c42f18690bf4d"),
    (
        "scenario_tutorial01_basic_control.wmf",
        60_776,
        "ddaac6d83811170a650f3dd117d672218992b2da5cf1431a9440328c0a6c42db",
    ),
    ("scenario_tutorial02_warfare.wmf", 40_803, "056d77fc110053f59bfc18e1a724b264a3994ade2e812be0635d72d08e6508ad"),
    ("scenario_tutorial03_seafaring.wmf", 43_359, "6e720d0b88134c0e89091f957f9f54b8917588e885e0c0ccffb12358ae622063"),
    ("scenario_tutorial04_economy.wmf", 59_298, "169c4f67b20c9b68ab5682ed0086d6cd0e1163c04b3a24c021e8b9a514511386"),
    ("texts", 41_106, "f02899568f20729ca256af111ef3e03ce843238bc973edc0da6a68fb0cf14ba5"),
    ("tribes_encyclopedia", 723_853, "0ca35945184b2104a55fb469bac336e6db10943932070f49c70ed31c10bfe953"),
)
"""Widelands 1.2.1: its campaigns, tutorials and encyclopedia."""
_LIBREOFFICE = (
    ("scalc/guide", 610_196, "e5bc9ead56c143f0b8e9a27cfb7e4b1029e87c8fa9928a9e413929ff54233e9d"),
    ("schart/01", 314_094, "adb4d6aac21674f594c6864b27f028afa9ebc56cfa47f5a55cdd2268fcfbd1e4"),
    ("sdatabase", 516_817, "10bd54568bb870efc7908a6b965f35715ceb1409ec5dde101bfc0e9b067b5e20"),
    ("sdraw/guide", 109_775, "52d44258032b4974d1ae8a8c367cb69aa9e85edcf27fe292e0db7395a27cbca8"),
    ("shared/01", 1_814_263, "6d595a6b36972566ab5a1f31469d4d2df8d83ecf111807f9edc33b8c0763d529"),
    ("shared/02", 783_763, "b228f28f9c550901009adb5e012778768dfdf66cb5b123e1dfaba67f0dc0d9cd"),
    ("shared/04", 90_533, "29a69b2ffa6e48a3577a3e5cf6d88b721f3d6a35229179ba7d625b269775cc40"),
    ("shared/05", 69_769, "dfe2ab6963f7d47f2a6f841ae7e30735180089297e1d68b6a2c700809343ff88"),
    ("shared/autopi", 246_876, "2f0093c0b4f2a0567a83290101ed1eba95ce5bc21ed27d5b95a0054a4533af80"),
    ("shared/guide", 1_210_380, "70f5b04323b3fc32e71868e72fb1f5f85d0f86d97b41a58dceef442f2ab1dec0"),
    ("shared/optionen", 695_175, "7b59b574bd955a9e8dbc66d016a51a5eb9e9e5cda6b043cda1fe4ddfe3e64de5"),
    ("simpress/01", 305_042, "d8330cd2621d04d79842f7eab17af74bbd05808eaf6ac4718a96e0940e021b45"),
    ("simpress/guide", 264_887, "805217b0917320b55c22764b3ba9a735bc875a672153ead12e062d3fbc548f58"),
    ("swriter/01", 1_092_010, "e3425b812caf08e2426adf19ad0d5d6d15b5fa4e3206e72b1c48039e280c4e35"),
    ("swriter/guide", 830_609, "cbfd546ee9fe8cc8dab1131d1054e77caa668fc9cf5babc0351d5897be8f10fb"),
)
"""LibreOffice 7.4.7: those parts of its help that explain in sentences."""

_CATALOGUES = (
    *_files("https://raw.githubusercontent.com/wesnoth/wesnoth/1.16.9", "po/wesnoth*/de.po", _WESNOTH),
    *_files(
        "https://codeberg.org/freedroid/freedroid-src/raw/commit/e6147bb9fd996f9d3a614209c8d5f39bedc1c6a4",
        "po/*/de.po",
        _FREEDROID,
    ),
    *_files("https://raw.githubusercontent.com/widelands/widelands/v1.2.1", "po/*/de.po", _WIDELANDS),
    *_files(
        "https://raw.githubusercontent.com/LibreOffice/translations/libreoffice-7.4.7.2",
        "source/de/helpcontent2/source/text/*.po",
        _LIBREOFFICE,
    ),
)
_LICENCE = f"{tatoeba.TATOEBA.sources[0].licence} AND GPL-2.0-or-later AND MPL-2.0"
"""Of Tatoeba; of the three games; of LibreOffice."""

ENGLISH_GERMAN = DatasetSpec(
    name="english-german",
    title="English and German, short and long",
    summary="Pairs of short sentences of Tatoeba, and of longer ones of three games and an office suite.",
    splits=("train", "test", LONGER),
    sources=tuple(
        Source(
            name=source.name,
            read=f"layerwise_language.translation.english_german:read_{source.name}",
            licence=_LICENCE,
            homepage="https://tatoeba.org",
            files=(*source.files, *_CATALOGUES),
        )
        for source in tatoeba.TATOEBA.sources
    ),
)
