"""`language/translation`: the Transformer against itself, beam search against trying everything, the data set, and a
small network that learns to translate a few words."""

import itertools
import lzma
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest
from shipped import trained_config

import layerwise
from layerwise.config import config_from
from layerwise.context import Context
from layerwise.data import load
from layerwise.errors import DataError, InputError, SpecError
from layerwise.evaluation import evaluate_version
from layerwise.registry import Registry
from layerwise.runs import RunStore
from layerwise.splits import Split
from layerwise.tasks import Translation
from layerwise.text.tokenization import END, PAD, train_pieces
from layerwise.training import fit
from layerwise.versions import VersionStore
from layerwise.weights import read_record
from layerwise_language import translation
from layerwise_language.translation.beam_search import LENGTH_PENALTY, beam_search
from layerwise_language.translation.network import Transformer
from layerwise_language.translation.runner import Translator
from layerwise_language.translation.tatoeba import is_test, read_tsv, read_xz, words_of

SPEC, VARIANT = translation.TRANSLATION, translation.TRANSLATION.variant()
ENGLISH, GERMAN = ("one", "two", "three", "dog", "cat"), ("eins", "zwei", "drei", "Hund", "Katze")
SMALL = {"dimensions": 32, "depth": 1, "heads": 2, "units": 64, "dropout": 0.0, "num_epochs": 45, "batch_size": 8}


def small_transformer(length=6):
    keras.utils.set_random_seed(1)
    return Transformer(20, length, dimensions=16, depth=2, heads=4, units=32, dropout=0.1, beginnings=(3, 4))


@pytest.mark.slow
def test_token_by_token_it_says_what_it_says_of_all_at_once():
    transformer = small_transformer(8)
    whole, reader, writer = transformer.whole(), transformer.reader(), transformer.writer()
    random = np.random.default_rng(0)
    source, target = random.integers(5, 20, (2, 3, 8))
    source[0, 5:], source[2, 2:] = PAD, PAD
    logits = np.asarray(whole({"source": source, "target": target}))
    memory = {name: np.asarray(array) for name, array in reader(source).items()}
    past = {f"past_{name}": np.zeros_like(array) for name, array in memory.items()}
    for place in range(8):
        outputs = writer(
            {
                "token": target[:, place : place + 1],
                "place": np.full((3, 1), place),
                "source": source,
                **memory,
                **past,
            }
        )
        np.testing.assert_allclose(outputs["logits"], logits[:, place], atol=2e-5)
        np.testing.assert_allclose(np.sum(outputs["looked"], axis=1), 1, atol=1e-5)
        assert not np.asarray(outputs["looked"])[2, 2:].any(), "not at padding"
        for name in memory:
            past[f"past_{name}"][:, :, place] = np.asarray(outputs[name])[:, :, 0]


def test_several_pairs_in_a_row_are_as_each_in_its_own():
    whole = small_transformer(10).whole()
    source = np.array([[5, 6, END, 7, 8, 9, END, PAD, PAD, PAD]])
    target = np.array([[3, 10, 11, 12, 4, 13, 14, PAD, PAD, PAD]])
    logits = np.asarray(whole({"source": source, "target": target}))
    alone = {
        "source": np.array([[5, 6, END] + [PAD] * 7, [7, 8, 9, END] + [PAD] * 6]),
        "target": np.array([[3, 10, 11, 12] + [PAD] * 6, [4, 13, 14] + [PAD] * 7]),
    }
    one, other = np.asarray(whole(alone))
    np.testing.assert_allclose(logits[0, :4], one[:4], atol=1e-5)
    np.testing.assert_allclose(logits[0, 4:7], other[:3], atol=1e-5)


def test_what_comes_later_and_padding_change_nothing():
    whole = small_transformer().whole()
    source, target = np.array([[4, 5, 6, PAD, PAD, PAD]]), np.array([[7, 8, 9, 10, 11, 12]])
    logits = np.asarray(whole({"source": source, "target": target}))
    later = target.copy()
    later[0, 3:] = 15
    np.testing.assert_allclose(whole({"source": source, "target": later})[:, :3], logits[:, :3], atol=1e-6)


def test_attention_says_where_it_looks():
    transformer = small_transformer()
    attention = transformer.decoder[0].other
    attention.build()
    x, seen = np.random.default_rng(0).normal(size=(2, 1, 4, 16)).astype("float32")
    mask = np.array([[[[True, True, False, False]]]])
    scores = np.asarray(attention.attention_scores(x, seen, mask))
    assert scores.shape == (1, 4, 4, 4)
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-6)
    assert not scores[..., 2:].any()


class Fixed:
    """A network that writes: the logits of the next token follow from the token before, drawn once for each source."""

    def __init__(self, sources, tokens, seed=0):
        self.logits = np.random.default_rng(seed).normal(0, 2, (sources, tokens, tokens))

    def write(self, given):
        rows = np.asarray(given["source"])[:, 0]
        logits = self.logits[rows, given["token"][:, 0]]
        past = {
            name.removeprefix("past_"): array[:, :, :1] for name, array in given.items() if name.startswith("past_")
        }
        return {"logits": logits, "looked": np.ones((len(rows), 3)) / 3, **past}

    def best(self, source, first, most):
        """The best text of all, by trying every one."""
        chances = self.logits[source] - np.log(np.exp(self.logits[source]).sum(axis=1, keepdims=True))
        tokens = [token for token in range(self.logits.shape[1]) if token not in (PAD, END)]
        texts = [text for length in range(most) for text in itertools.product(tokens, repeat=length)]

        def score(text):
            path = [first, *text, END]
            return sum(chances[a, b] for a, b in itertools.pairwise(path)) / (len(text) + 1) ** LENGTH_PENALTY

        return max(texts, key=score), max(map(score, texts))


@pytest.mark.parametrize("seed", range(5))
def test_with_enough_beams_the_best_text_of_all_is_found(seed):
    network = Fixed(2, 6, seed)
    source = np.repeat(np.array([[0], [1]]), 3, axis=1)
    memory = {"key_0": np.zeros((2, 1, 4, 1), "float32"), "value_0": np.zeros((2, 1, 4, 1), "float32")}
    found = beam_search(network.write, memory, source, np.array([1, 1]), beams=27, most=4)
    for number, texts in enumerate(found):
        best, score = network.best(number, 1, 4)
        assert texts[0].tokens == best
        assert texts[0].score == pytest.approx(score, abs=1e-5)
        assert [text.score for text in texts] == sorted((text.score for text in texts), reverse=True)
        assert len({text.tokens for text in texts}) == len(texts)
        assert texts[0].looked.shape == (len(best) + 1, 3)


def test_a_search_that_nobody_waits_for_ends_with_what_there_is():
    cancelled = threading.Event()
    cancelled.set()
    memory = {"key_0": np.zeros((1, 1, 4, 1), "float32")}
    ((text,),) = beam_search(
        Fixed(1, 6).write, memory, np.zeros((1, 3), int), np.array([1]), beams=2, most=4, cancelled=cancelled
    )
    assert text.tokens == ()


def write(folder, lines, compressed):
    path = folder / ("deu.txt.xz" if compressed else "deu.txt")
    path.write_bytes(lzma.compress(lines.encode()) if compressed else lines.encode())
    return {path.name: path}


@pytest.mark.parametrize(("read", "compressed"), [(read_tsv, False), (read_xz, True)])
def test_no_sentence_of_the_test_is_trained_on(tmp_path, read, compressed):
    lines = "".join(
        f"Sentence {n}.\tSatz {n}.\nSENTENCE {n}!\tAnders {n}.\nOther {n}.\tSatz {n}!\n" for n in range(300)
    )
    splits = read(write(tmp_path, f"1\t2\n{lines}", compressed))
    english = {name: {words_of(text) for text in split.inputs} for name, split in splits.items()}
    german = {name: {words_of(text) for text in split.targets} for name, split in splits.items()}
    assert english["train"].isdisjoint(english["test"])
    assert german["train"].isdisjoint(german["test"])
    assert 0.02 < len(splits["test"]) / 900 < 0.1
    assert is_test("Sentence 7.") == is_test("sentence,  7")


def test_a_line_without_a_translation_is_named(tmp_path):
    with pytest.raises(DataError, match="Line 2 of"):
        read_tsv(write(tmp_path, "one\teins\ntwo\n", compressed=False))
    with pytest.raises(DataError, match="not compressed"):
        read_xz({"deu.txt.xz": write(tmp_path, "one\teins\n", compressed=False)["deu.txt"]})


def test_the_real_data_set():
    try:
        splits = load(Registry().snapshot().dataset("tatoeba-deu"), offline=True).splits
    except DataError as error:
        pytest.skip(f"needs LAYERWISE_DATA: {error}")
    assert len(set(splits["test"].inputs)) >= 1000
    assert len(splits["train"]) > 40_000


TASK = Translation(
    languages=("English", "German"),
    length=12,
    vocabulary=320,
    tokenizer=train_pieces([*ENGLISH, *GERMAN] * 2, 320, ("<to-1>", "<to-2>")),
)


def _divided_after(row, token):
    """The parts of a row that end with a token."""
    return np.split(row, np.flatnonzero(row == token) + 1)[:-1]


def test_pairs_are_trained_on_both_ways():
    pairs = Split(np.array(["one dog", "two"], object), np.array([("eins Hund", "ein Hund"), "zwei"], object))
    split = TASK.to_train_on(pairs)
    source, target, wanted = split.inputs["source"], split.inputs["target"], np.asarray(split.targets)
    assert source.shape == target.shape == wanted.shape
    assert len(source) < 4, "several in a row"
    found = set()
    for rows in zip(source, target, wanted, strict=True):
        sources, targets = ([part.tolist() for part in _divided_after(row, END)] for row in (rows[0], rows[2]))
        given = rows[1][rows[1] != PAD].tolist()
        assert len(given) == sum(map(len, targets))
        for one, other in zip(sources, targets, strict=True):
            begin, given = given[: len(other)], given[len(other) :]
            assert begin[1:] == other[:-1], "what is written before each token"
            found.add((begin[0], tuple(one), tuple(other)))
    english, german = TASK.encode_sources(["one dog", "two"]), TASK.encode_sources(["eins Hund", "zwei"])
    (one, two), (eins, zwei) = ([tuple(row[row != PAD].tolist()) for row in rows] for rows in (english, german))
    there, back = TASK.first_token(0), TASK.first_token(1)
    assert there != back
    assert found == {(there, one, eins), (there, two, zwei), (back, eins, one), (back, zwei, two)}
    measured = TASK.to_measure_on(pairs)
    assert measured.inputs["text"].tolist() == ["one dog", "two", "eins Hund", "ein Hund", "zwei"]
    assert measured.inputs["direction"].tolist() == [0, 0, 1, 1, 1]
    assert measured.targets[0] == ("eins Hund", "ein Hund")


def test_the_loss_counts_no_padding():
    import keras.ops as ops

    logits = np.random.default_rng(0).normal(size=(1, 3, 5)).astype("float32")
    chances = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    loss = TASK.loss(replace(VARIANT.config, label_smoothing=0.2))
    expected = -np.mean(
        [0.8 * chances[0, place, token] + 0.2 * chances[0, place].mean() for place, token in ((0, 4), (1, 2))]
    )
    assert float(ops.convert_to_numpy(loss(np.array([[4, 2, PAD]]), logits))) == pytest.approx(expected, abs=1e-5)


def test_the_metrics_are_those_of_sacrebleu():
    import sacrebleu

    written, right = (
        ["a cat sat on a mat", "the dog ran far away"],
        [("the cat sat on a mat",), ("a dog ran away", "the dog ran away")],
    )
    targets = np.empty(2, object)
    targets[:] = right
    outputs = {"text": np.array(written, object), "direction": np.zeros(2, int)}
    found = TASK.evaluate(outputs, targets)
    both = [["the cat sat on a mat", "a dog ran away"], [None, "the dog ran away"]]
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(written, both).score)
    assert found["bleu_single"] == pytest.approx(sacrebleu.corpus_bleu(written, both[:1]).score)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(written, both).score)
    assert np.isnan(found["bleu_back"])


@pytest.mark.parametrize(
    "wrong", [{"languages": ("one",)}, {"languages": ("a", "a")}, {"length": 3}, {"vocabulary": 10}]
)
def test_unusable_parameters_are_refused(wrong):
    with pytest.raises(SpecError):
        replace(TASK, **wrong)


def test_heads_that_do_not_fit_are_refused():
    with pytest.raises(SpecError, match="multiple of 8"):
        translation.build(replace(VARIANT.config, dimensions=20), TASK)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network that was trained on pairs of two or three of five words: its spec, version and snapshot."""
    home = tmp_path_factory.mktemp("home")
    random = np.random.default_rng(0)
    lines = ["English\tGerman"]
    for _ in range(600):
        words = random.integers(0, 5, random.integers(1, 4))
        lines.append(" ".join(ENGLISH[i] for i in words) + "\t" + " ".join(GERMAN[i] for i in words))
    (home / "pairs.tsv").write_text("\n".join(lines))
    snapshot = Registry(home).snapshot()
    spec = replace(SPEC, task=replace(TASK, tokenizer=None))
    snapshot = replace(snapshot, models={spec.name: spec})
    config = config_from(spec.config, {**SMALL, "learning_rate": 3e-3, "precision": "float32"})
    run = RunStore(home).create(spec, None, config, data=str(home / "pairs.tsv"))
    fit(Context.of(run, snapshot))
    return spec, VersionStore(home).get(spec, None, run.id), snapshot


@pytest.mark.slow
def test_a_small_network_learns_to_translate_both_ways(trained):
    _, version, snapshot = trained
    assert version.task.languages == ("English", "German")
    assert version.task.trained_words == 3
    metrics = evaluate_version(snapshot, version)["metrics"]
    assert metrics["chrf"] > 95
    assert metrics["chrf_back"] > 95
    translator = Translator(version)
    answer = translator.run({"text": "two dog", "direction": "English to German"}, None, threading.Event())
    assert answer["translation"] == "zwei Hund"
    assert answer["note"] == ""
    assert 1 <= len(answer["alternatives"]) <= 3
    (alignment,) = answer["alignment"]
    assert alignment.values.shape == (len(alignment.row_labels), len(alignment.column_labels))
    back = translator.run({"text": "drei Katze", "direction": "German to English"}, None, threading.Event())
    assert back["translation"] == "three cat"


@pytest.mark.slow
def test_texts_of_any_length_and_script_are_answered(trained):
    _, version, _ = trained
    translator = Translator(version)
    long = "one dog two cat three dog one cat. " * 60
    answer = translator.run({"text": long}, None, threading.Event())
    assert len(answer["translation"].split()) > 100
    assert "The longest sentence has 8 words" in answer["note"]
    assert answer["alternatives"] == answer["alignment"] == []
    for text in ("映画は最高です" * 30, "😀" * 50, "<script>alert(1)</script>", "\x00\x1b", "one\n\ntwo", "שלום"):
        assert isinstance(translator.run({"text": text}, None, threading.Event())["translation"], str)
    with pytest.raises(InputError, match="There is no text"):
        translator.run({"text": "  "}, None, threading.Event())


@pytest.mark.slow
def test_nothing_of_a_text_is_lost_when_it_is_divided(trained):
    _, version, _ = trained
    translator = Translator(version)
    text = "one, two; three dog cat dog cat dog cat dog cat dog cat! " * 3 + "onetwothree" * 20 + "\n\ncat"
    parts = translator.divided(text)
    assert "".join("".join((part + gap).split()) for part, gap in parts) == "".join(text.split())
    assert (version.task.encode_sources([part for part, _ in parts]) == END).sum() == len(parts)
    lengths = (version.task.encode_sources([part for part, _ in parts]) != PAD).sum(axis=1)
    assert lengths.max() <= version.task.length


def test_the_shipped_weights_meet_the_bar():
    record = read_record(VARIANT.weights)
    assert record["measured"]["metrics"]["bleu"] >= 35
    assert trained_config(record, VARIANT) == VARIANT.config
    with layerwise.open_workspace() as workspace:
        answer = workspace.predictor.predict("language/translation", "Where are you?")
    assert answer["translation"].lower().startswith("wo ")
