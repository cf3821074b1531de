"""The catalogues of programs as pairs of sentences, and the data set that they make together with Tatoeba."""

import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.data import load
from layerwise.errors import DataError
from layerwise_language.translation import tatoeba
from layerwise_language.translation.catalogues import is_plausible, pairs_of, plain_text, read_catalogues, sentences_of
from layerwise_language.translation.english_german import ENGLISH_GERMAN, LONGER, read_tsv, read_xz
from layerwise_language.translation.tatoeba import is_test, words_of

HEADER = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
CATALOGUE = r"""
#: one.cfg:3
msgid ""
"The king has fled to the "
"hills. Who will follow\n"
"him there?"
msgstr ""
"Der König ist in die Hügel geflohen. Wer wird ihm\n"
"dorthin folgen?"

#, fuzzy
msgid "The old bridge is guarded by trolls."
msgstr "Die alte Burg wird von Trollen bewacht."

msgid "Nobody has translated this sentence."
msgstr ""

#~ msgid "This sentence is not used any more."
#~ msgstr "Dieser Satz wird nicht mehr verwendet."

msgid "Click <emph>Insert</emph> in $[officename] &amp; wait.\n\nThe <item type=\"menuitem\">text</item> appears."
msgstr "Klicken Sie in $[officename] auf <emph>Einfügen</emph>.\n\nDer <item type=\"menuitem\">Text</item> erscheint."

msgid "One soldier of the guard was lost."
msgid_plural "All soldiers of the guard were lost."
msgstr[0] "Ein Soldat der Wache ging verloren."
msgstr[1] "Alle Soldaten der Wache gingen verloren."

msgctxt "again"
msgid "Who will follow him there?"
msgstr "Wer wird ihm dorthin folgen?"
"""
PAIRS = [
    ("The king has fled to the hills.", "Der König ist in die Hügel geflohen."),
    ("Who will follow him there?", "Wer wird ihm dorthin folgen?"),
    ("The text appears.", "Der Text erscheint."),
    ("One soldier of the guard was lost.", "Ein Soldat der Wache ging verloren."),
    ("All soldiers of the guard were lost.", "Alle Soldaten der Wache gingen verloren."),
]


def write(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + entries, encoding="utf-8")
    return path


def test_a_catalogue_gives_its_translated_sentences_each_once(tmp_path):
    path = write(tmp_path / "de.po", CATALOGUE)
    assert read_catalogues([path]) == PAIRS
    assert read_catalogues([path, path]) == PAIRS


def test_what_is_no_catalogue_is_named(tmp_path):
    for name, content in (("text.po", b'msgid "one\nnothing else'), ("latin.po", 'msgid "é"\n'.encode("latin-1"))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name):
            read_catalogues([tmp_path / name])


@pytest.mark.parametrize(
    ("original", "translation"),
    [
        ("You have %d pieces of gold.", "Ihr habt %d Goldstücke."),
        ("You have $gold pieces of gold.", "Ihr habt $gold Goldstücke."),
        ("Hello {name}, how are you today?", "Hallo {name}, wie geht es dir heute?"),
        ("Press <image id='1'/> to go on.", "Drücken Sie <image id='1'/>, um fortzufahren."),
        ("Open the _File menu with it.", "Öffnen Sie damit das _Datei-Menü."),
        ("See https://example.org for more.", "Siehe https://example.org für mehr."),
        ("Choose Insert and then Caption", "Wählen Sie Einfügen und dann Beschriftung"),
        ("Very well.", "Also gut, sehr gut."),
        ("I have waited for three hours here. Come.", "Ich habe hier drei Stunden gewartet, also komm."),
        ("There are 12 goblins in the cave.", "In der Höhle sind 20 Goblins."),
        ("Are you the king of this land?", "Ich diene dem König dieses Landes."),
        ("We have won this battle, my friends.", "Sieg!"),
        ("Alpha Beta Gamma Delta Omega.", "Alpha Beta Gamma Delta Omega."),
        ('"We have won this battle.', '"Wir haben diese Schlacht gewonnen.'),
        ("We have seen (and heard the king of this land.", "Wir haben den König dieses Landes gesehen und gehört."),
        ("(we have seen the king of this land.)", "(wir haben den König dieses Landes gesehen.)"),
        (" ".join(["The"] + ["word"] * 40) + ".", " ".join(["Das"] + ["Wort"] * 40) + "."),
    ],
)
def test_what_is_no_pair_of_plain_whole_sentences_is_left_out(original, translation):
    assert not pairs_of(original, translation)


def test_a_sentence_that_is_left_out_leaves_the_others_of_its_text():
    original = "Welcome, $name! You are late, but there is food."
    assert pairs_of(original, "Willkommen, $name! Ihr kommt spät, aber es gibt zu essen.") == [
        ("You are late, but there is food.", "Ihr kommt spät, aber es gibt zu essen.")
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Well... I do not know. Go!", ["Well... I do not know.", "Go!"]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("Das ist z. B. Dr. Braun. Er war der 2. König.", ["Das ist z. B. Dr. Braun.", "Er war der 2. König."]),
        ("A title\n\nA text. (An aside.) End", ["A title", "A text.", "(An aside.)", "End"]),
        ("Was?! Nein.Doch", ["Was?!", "Nein.Doch"]),
        (" \n ", []),
    ],
)
def test_texts_are_divided_where_sentences_end(text, sentences):
    assert sentences_of(text) == sentences


@given(st.text(alphabet="aB.!? \n\"')(1Ä", max_size=60))
def test_dividing_loses_nothing(text):
    assert " ".join(sentences_of(text)) == " ".join(text.split())


def test_signs_become_those_of_a_keyboard():
    assert plain_text("„Ja“, sagte er\u00a0… ‚So\u00ad‘ ist’s") == "\"Ja\", sagte er ... 'So' ist's"
    assert plain_text("%PRODUCTNAME is <b>free</b> &lt;") == "LibreOffice is free <"
    assert is_plausible("About 50% of them are here.", "Etwa 50 % von ihnen sind hier.")


def entry(english, german):
    return f'msgid "{english}"\nmsgstr "{german}"\n\n'


def small_files(folder):
    """Tatoeba's file and two catalogues, whose sentences partly say the same in both languages or differ in a word."""
    names = ("Anna", "Bert", "Carl", "Dora", "Emil", "Fred", "Gina", "Hans", "Ines", "Jens")
    lines, first, second = [], [], []
    for name in names:
        for other in names:
            for place, ort in (("wood", "Wald"), ("town", "Stadt"), ("church", "Kirche")):
                # What is short and said by both, in the words of either.
                lines.append(f"{name} meets {other} in the {place}.\t{name} trifft {other}: {ort}.\n")
                first.append(entry(f"{name} meets {other} in the {place}!", f"{name} trifft {other}: {ort}!"))
                first.append(entry(f"{name} and {other} see the {place}!", f"{name} und {other} sehen: {ort}!"))
                second.append(entry(f"There {name} {other} {place} go.", f"{name} trifft {other} – {ort}."))
                long = f"When {name} came to the {place}, {other} had left it long before"
                lang = f"Als {name} hier ankam ({ort}), war {other} schon lange nicht mehr da"
                first.append(entry(f"{long}.", f"{lang}."))
                second.append(entry(f"{long} him.", f"{lang}, {name}."))
    found = {
        "a/de.po": write(folder / "a/de.po", "".join(first)),
        "b/de.po": write(folder / "b/de.po", "".join(second)),
        "deu.txt": folder / "deu.txt",
        "deu.txt.xz": folder / "deu.txt.xz",
    }
    found["deu.txt"].write_text("".join(lines), encoding="utf-8")
    found["deu.txt.xz"].write_bytes(lzma.compress("".join(lines).encode()))
    return found


def differs_in_a_word(text, other):
    """Whether one word of a text has to be replaced, added or taken away at most to get another, by trying all."""
    one, two = words_of(text).split(), words_of(other).split()
    if len(one) == len(two):
        return sum(a != b for a, b in zip(one, two, strict=True)) <= 1
    shorter, longer = sorted((one, two), key=len)
    return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))


def test_no_sentence_of_either_test_is_trained_on(tmp_path):
    files = small_files(tmp_path)
    splits, alone = read_tsv(files), tatoeba.read_tsv(files)
    train = splits["train"]
    assert set(splits) == set(ENGLISH_GERMAN.splits)
    for side in ("inputs", "targets"):
        assert getattr(splits["test"], side).tolist() == getattr(alone["test"], side).tolist()
        known = {words_of(text) for text in getattr(train, side)}
        for name in ("test", LONGER):
            assert known.isdisjoint(map(words_of, getattr(splits[name], side)))
        for text in getattr(splits[LONGER], side):
            assert not any(differs_in_a_word(text, other) for other in getattr(train, side))
    assert len(splits["test"]) > 5
    assert len(splits[LONGER]) > 5
    assert all(is_test(text) and len(text.split()) > 7 for text in splits[LONGER].inputs)
    assert any("!" in text for text in train.inputs), "short ones of the catalogues are trained on"
    assert any("came" in text for text in train.inputs), "and long ones"
    pairs = [(words_of(a), words_of(b)) for a, b in zip(train.inputs, train.targets, strict=True)]
    assert len(set(pairs)) == len(pairs)


def test_the_same_files_give_the_same_splits(tmp_path):
    files = small_files(tmp_path)
    splits = read_tsv(files)
    for read, given_files in ((read_xz, files), (read_tsv, dict(reversed(files.items())))):
        again = read(given_files)
        for name, split in splits.items():
            assert again[name].inputs.tolist() == split.inputs.tolist()
            assert again[name].targets.tolist() == split.targets.tolist()


def test_every_file_has_its_own_name_and_address():
    for source in ENGLISH_GERMAN.sources:
        catalogues = [file for file in source.files if file.name.endswith(".po")]
        assert len({file.name for file in source.files}) == len(source.files) == len(catalogues) + 1
        assert all(file.url.startswith("https://") and file.url.endswith(f"/{file.name}") for file in catalogues)
        assert sum(file.size for file in source.files) < 20e6


@pytest.mark.slow
def test_the_real_data_set():
    try:
        splits = load(ENGLISH_GERMAN, offline=True).splits
    except DataError as error:
        pytest.skip(f"needs LAYERWISE_DATA: {error}")
    assert 1000 <= len(splits[LONGER]) <= 2500
    assert len(splits["train"]) > 80_000
    for side in ("inputs", "targets"):
        train = {words_of(text) for text in getattr(splits["train"], side)}
        for name in ("test", LONGER):
            assert train.isdisjoint(map(words_of, getattr(splits[name], side)))
