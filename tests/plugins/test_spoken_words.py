"""What `speech/digits-and-words` is made of: its data sets, its front end, its network, a training."""

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.signal
import soundfile

import layerwise
from layerwise import File, jobs
from layerwise.data import load
from layerwise.errors import DataError
from layerwise.evaluation import evaluate
from layerwise.registry import Registry
from layerwise.tasks import CtcSpeechRecognition
from layerwise.tasks.speech.words import UNKNOWN
from layerwise_speech import fsdd, speech_commands
from layerwise_speech.augmentation import SpecAugment
from layerwise_speech.log_mel import LEAST_POWER, LogMel, mel, mel_filters
from layerwise_speech.words import RATE, TASK, WORDS, WordsConfig, build

SMALL = WordsConfig(bands=16, filters=8, depth=2, kernel=3)


# Data


def wav(samples, rate=16_000):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(samples, "int16"), rate, format="WAV")
    return buffer.getvalue()


def write_tar(path, contents, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return {path.name: path}


def test_digits_are_divided_by_the_number_of_the_recording(tmp_path):
    names = [f"{digit}_{who}_{number}.wav" for digit in (0, 9) for who in ("ann", "bob") for number in (0, 4, 5, 49)]
    contents = {name: wav([index] * 900, 8000) for index, name in enumerate(names)}
    from_tar = fsdd.read_tar(write_tar(tmp_path / "a.tar", {f"recordings/{n}": c for n, c in contents.items()}))
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    from_files = fsdd.read_wav({f"recordings/{name}": tmp_path / name for name in sorted(names)})
    for splits in (from_tar, from_files):
        assert {name: len(part) for name, part in splits.items()} == {"train": 8, "test": 8}
        for split, part in splits.items():
            for (rate, samples), who, word in zip(
                part.inputs["audio"], part.inputs["speaker"], part.targets, strict=True
            ):
                digit, speaker, number = names[samples[0]].removesuffix(".wav").split("_")
                assert (rate, who, word) == (8000, speaker, fsdd.DIGITS[int(digit)])
                assert (int(number) < 5) == (split == "test")


def test_commands_are_divided_by_speaker_and_name(tmp_path):
    contents = {
        f"{word}{who:08x}_nohash_{take}.wav": wav([who] * 1600)
        for word in ("yes/", "no/", "_unknown_/bed_", "_unknown_/nine_", "_silence_/", "bed/")
        for who in range(60)
        for take in (0, 1)
    }
    splits = speech_commands.read_wav(write_tar(tmp_path / "a.tar.gz", contents, "w:gz"))
    assert sum(map(len, splits.values())) == 4 * 120
    assert set(splits["train"].targets) == {"yes", "no", "nine", UNKNOWN}
    speakers = {name: set(part.inputs["speaker"]) for name, part in splits.items()}
    assert not speakers["unseen"] & (speakers["train"] | speakers["test"])
    assert speakers["test"] <= speakers["train"]
    # By the first 8 bytes of the SHA-256 of the speaker's name.
    ranks = {f"{who:08x}": int.from_bytes(hashlib.sha256(f"{who:08x}".encode()).digest()[:8]) for who in range(60)}
    assert speakers["unseen"] == {who for who, rank in ranks.items() if rank / 2**64 < 0.2}
    assert 0.05 < len(splits["test"]) / (len(splits["test"]) + len(splits["train"])) < 0.15
    for part in splits.values():
        for (rate, samples), who in zip(part.inputs["audio"], part.inputs["speaker"], strict=True):
            assert (rate, f"{samples[0]:08x}") == (16_000, who)


def test_what_is_no_archive_or_no_sound_is_refused(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be unpacked"):
        fsdd.read_tar({"a.tar": tmp_path / "a.tar"})
    with pytest.raises(DataError, match=r"0_ann_0\.wav in .* cannot be read as a sound"):
        fsdd.read_tar(write_tar(tmp_path / "b.tar", {"0_ann_0.wav": b"RIFF no sound"}))


def test_each_file_of_the_digits_is_known():
    (source,) = [source for source in fsdd.FSDD.sources if source.name == "wav"]
    assert len(source.files) == 3000
    assert all(isinstance(file, File) and fsdd.COMMIT in file.url for file in source.files)
    parts = [Path(file.name).stem.split("_") for file in source.files]
    assert Counter(digit for digit, _, _ in parts) == {str(digit): 300 for digit in range(10)}
    assert set(Counter(speaker for _, speaker, _ in parts).values()) == {500}
    assert {int(number) for _, _, number in parts} == set(range(50))
    assert len({file.sha256 for file in source.files}) > 2990
    assert all(len(file.sha256) == 64 and file.size > 44 for file in source.files)


@pytest.mark.slow
def test_the_digits_at_hand_are_the_files_that_are_known(require_data):
    archive = require_data("fsdd") / "recordings.tar.xz"
    found = {
        Path(name).name: (len(content), hashlib.sha256(content).hexdigest())
        for name, content in fsdd.members(archive, ".wav")
    }
    (source,) = [source for source in fsdd.FSDD.sources if source.name == "wav"]
    assert found == {Path(file.name).name: (file.size, file.sha256) for file in source.files}


def test_the_commands_at_hand_by_their_names(require_data):
    """Without decoding them."""
    with tarfile.open(require_data("speech-commands") / "words.tar") as archive:
        found = [speech_commands.identity_of(name) for name in archive.getnames() if name.endswith(".opus")]
    splits = {key: speech_commands.split_name(who, key) for _, who, key in found}
    speakers = {key: who for _, who, key in found}
    assert len(splits) == len(found) == 3694
    assert Counter(word for word, _, _ in found)[UNKNOWN] == 101
    assert Counter(splits.values()) == {"train": 2674, "test": 318, "unseen": 702}
    by_split = {split: {speakers[n] for n, name in splits.items() if name == split} for split in set(splits.values())}
    assert not by_split["unseen"] & (by_split["train"] | by_split["test"])


@pytest.mark.long
def test_the_data_at_hand_are_whole(require_data, home):
    require_data("fsdd")
    require_data("speech-commands")
    snapshot = Registry(home).snapshot()
    splits = load(snapshot.dataset("spoken-words"), snapshot, offline=True).splits
    assert {name: (len(part), len(set(part.inputs["speaker"]))) for name, part in splits.items()} == {
        "train": (5105, 178),
        "validation": (269, 85),
        "test": (300, 6),
        "test-words": (318, 113),
        "unseen": (702, 43),
    }
    unseen = set(splits["unseen"].inputs["speaker"])
    for name in ("train", "validation", "test", "test-words"):
        assert not unseen & set(splits[name].inputs["speaker"])
    for part in splits.values():
        assert set(part.targets) <= set(TASK.symbols)
        for rate, samples in part.inputs["audio"][::50]:
            assert rate in (8_000, 16_000)
            assert samples.dtype == np.int16
            assert 0.1 < len(samples) / rate < 3
            assert samples.any()
    assert set(splits["train"].targets) == set(TASK.symbols)


# Front end


def log_mel_by_hand(sounds, rate, window, hop, bands, lowest, highest):
    """By SciPy's Fourier transform and triangles of NumPy's interpolation, float64."""
    before = (window - hop) // 2
    padded = np.pad(sounds.astype("float64"), [[0, 0], [before, window - hop - before]])
    _, _, found = scipy.signal.stft(
        padded, nperseg=window, noverlap=window - hop, window="hann", boundary=None, padded=False, scaling="spectrum"
    )
    power = np.square(np.abs(found))
    edges = np.linspace(mel(lowest), mel(highest), bands + 2)
    frequencies = mel(np.arange(window // 2 + 1) * rate / window)
    triangles = np.stack([np.interp(frequencies, edges[n : n + 3], [0, 1, 0], 0, 0) for n in range(bands)])
    triangles /= triangles.sum(axis=1, keepdims=True)
    return np.log(np.einsum("bf,nft->ntb", triangles, power) + LEAST_POWER)


@pytest.mark.parametrize("shape", [(8000, 256, 80, 40, 60.0, 3800.0), (16_000, 512, 160, 24, 100.0, 7000.0)])
@pytest.mark.parametrize("hops", [1, 2, 7, 50])
def test_the_front_end_is_that_of_scipy(shape, hops):
    hop = shape[2]
    sounds = np.random.default_rng(hops).normal(0, 0.1, [2, hops * hop]).astype("float32")
    found = np.asarray(LogMel(*shape)(sounds))
    assert found.shape == (2, hops, shape[3])
    assert LogMel(*shape).compute_output_shape((2, hops * hop)) == found.shape
    np.testing.assert_allclose(found, log_mel_by_hand(sounds, *shape), atol=2e-3)


def test_a_tone_is_loudest_in_the_band_of_its_frequency():
    layer = LogMel(8000, 256, 80, 40, 60.0, 3800.0)
    edges = np.linspace(mel(60.0), mel(3800.0), 42)
    for band in (5, 15, 25, 37):
        hertz = 700 * (10 ** (edges[band + 1] / 2595) - 1)
        sound = np.sin(2 * np.pi * hertz * np.arange(8000) / 8000).astype("float32")
        found = np.asarray(layer(sound[None]))[0, 10:-10]
        assert set(found.argmax(axis=1)) == {band}
    silent = np.asarray(layer(np.zeros([1, 800], "float32")))
    np.testing.assert_allclose(silent, np.log(LEAST_POWER), rtol=1e-6)


def test_filters_are_triangles_of_equal_sum():
    filters = mel_filters(16_000, 512, 20, 60.0, 7000.0)
    np.testing.assert_allclose(filters.sum(axis=0), 1, rtol=1e-5)
    assert (filters >= 0).all()
    assert not filters[0].any()
    middles = filters.argmax(axis=0) * 16_000 / 512
    assert (np.diff(middles) > 0).all()
    assert np.diff(mel(middles)).std() < 0.2 * np.diff(mel(middles)).mean()


def test_the_front_end_keeps_its_precision_and_its_settings():
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = LogMel(8000, 256, 80, 40, 60.0, 3800.0)
    finally:
        keras.config.set_dtype_policy(former)
    sounds = np.random.default_rng(0).normal(0, 1e-3, [1, 800]).astype("float32")
    assert keras.ops.dtype(layer(sounds)) == "float32"
    again = LogMel.from_config(layer.get_config())
    np.testing.assert_array_equal(np.asarray(again(sounds)), np.asarray(layer(sounds)))


@pytest.fixture(scope="module")
def by_backend():
    """What log_mel_probe.py gives on each backend that is installed."""
    found = {}
    for backend in ("tensorflow", "jax", "torch"):
        if os.environ.get("CI") != "true":
            pytest.importorskip(backend)
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("log_mel_probe.py"))],
            env={**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found[backend] = json.loads(done.stdout.splitlines()[-1])
        assert found[backend]["backend"] == backend
    return found


@pytest.mark.slow
def test_every_backend_hears_the_same(by_backend):
    sounds = np.random.default_rng(0).normal(0, 0.1, [2, 2560]).astype("float32")
    expected = log_mel_by_hand(sounds, 8000, 256, 80, 20, 60.0, 3800.0)
    for found in by_backend.values():
        np.testing.assert_allclose(found["log_mel"], expected, atol=2e-3)
        np.testing.assert_allclose(found["logits"], by_backend["tensorflow"]["logits"], rtol=1e-3)
    assert np.shape(by_backend["tensorflow"]["logits"]) == (2, 8, 3)


# Augmentation


SPECTROGRAMS = np.random.default_rng(0).normal(-5, 2, [16, 60, 40]).astype("float32")


def test_spectrograms_are_left_alone_outside_of_a_training():
    layer = SpecAugment(2, 20, 8, 0.3, seed=0)
    for found in (layer(SPECTROGRAMS), layer(SPECTROGRAMS, training=False)):
        np.testing.assert_array_equal(np.asarray(found), SPECTROGRAMS)


def test_stretches_of_time_and_of_bands_are_blotted_out():
    found = np.asarray(SpecAugment(1, 20, 8, 0.0, seed=0)(SPECTROGRAMS, training=True))
    means = SPECTROGRAMS.mean(axis=(1, 2), keepdims=True)
    blotted = np.isclose(found, means, atol=1e-4)
    frames, bands = blotted.all(axis=2), blotted.all(axis=1)
    inside = frames[:, :, None] | bands[:, None, :]
    np.testing.assert_allclose(np.where(inside, 0, found), np.where(inside, 0, SPECTROGRAMS), atol=1e-4)
    for stretches, most in ((frames, 20), (bands, 8)):
        widths = stretches.sum(axis=1)
        assert widths.max() <= most
        assert len(set(widths)) > 3, "each is another"
        assert widths.max() > most / 2
        # One stretch in each, without gaps.
        assert (np.abs(np.diff(np.pad(stretches.astype(int), [[0, 0], [1, 1]]))).sum(axis=1) <= 2).all()


def test_spectrograms_become_louder_and_quieter():
    found = np.asarray(SpecAugment(0, 20, 8, 0.5, seed=3)(SPECTROGRAMS, training=True))
    shifts = (found - SPECTROGRAMS).reshape(16, -1)
    np.testing.assert_allclose(shifts, shifts[:, :1].repeat(shifts.shape[1], 1), atol=1e-4)
    assert 0.2 < shifts[:, 0].std() < 1
    layers = [SpecAugment(2, 20, 8, 0.3, seed=5) for _ in range(2)]
    one, other = (np.asarray(layer(SPECTROGRAMS, training=True)) for layer in layers)
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, np.asarray(layers[0](SPECTROGRAMS, training=True))), "in each step anew"
    assert SpecAugment.from_config(layers[0].get_config()).get_config() == layers[0].get_config()


# Network


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build(WORDS.variant().config, TASK)


def logits_of(network, sound):
    return np.asarray(keras.ops.convert_to_numpy(network(sound[None], training=False)))[0]


@pytest.mark.parametrize("frames", [1, 2, 3, 25, 151])
def test_a_frame_is_as_many_samples_everywhere(network, frames):
    found = logits_of(network, np.zeros(320 * frames, "float32"))
    assert found.shape == (frames, len(TASK.symbols) + 1)
    assert found.dtype == np.float32


def test_other_rates_have_frames_of_the_same_time():
    task = CtcSpeechRecognition(symbols=("a",), rate=16_000)
    assert logits_of(build(SMALL, task), np.zeros(16_000, "float32")).shape == (25, 2)


def test_a_frame_looks_little_ahead_and_two_seconds_back(network):
    """So a text appears while somebody speaks."""
    random = np.random.default_rng(0)
    sound = random.normal(0, 0.1, 320 * 150).astype("float32")
    before, frame = logits_of(network, sound), 90
    for start, stop in ((0, 320 * frame - round(2.4 * RATE)), (320 * frame + round(0.24 * RATE), None)):
        changed = sound.copy()
        changed[start:stop] = random.normal(0, 1.0, len(changed[start:stop]))
        after = logits_of(network, changed)
        np.testing.assert_allclose(after[frame], before[frame], atol=1e-5)
        assert np.abs(after - before).max() > 0.01
    for near in (320 * frame - round(1.9 * RATE), 320 * frame + round(0.16 * RATE)):
        changed = sound.copy()
        changed[near : near + 80] += 1.0
        assert np.abs(logits_of(network, changed)[frame] - before[frame]).max() > 1e-6, "it does look that far"


@pytest.mark.slow
def test_every_part_of_the_network_learns():
    """From one step of a training, spectrograms blotted out."""
    keras.utils.set_random_seed(0)
    task = dataclasses.replace(TASK, symbols=("no", "yes"))
    network = build(SMALL, task)
    network.compile(keras.optimizers.SGD(0.1), task.loss(SMALL))
    former = [np.array(weight) for weight in network.trainable_weights]
    sounds = np.random.default_rng(0).normal(0, 0.1, [4, 8000]).astype("float32")
    loss = network.train_on_batch(sounds, np.array([[1, 2], [2, 0], [1, 0], [0, 0]], "int32"))
    assert np.isfinite(loss)
    for weight, old in zip(network.trainable_weights, former, strict=True):
        assert np.isfinite(weight).all()
        assert np.abs(np.array(weight) - old).max() > 0, weight.path


# Training


def finished(run):
    events = list(jobs.follow(run, poll=0.05))
    assert events[-1]["event"] == "finished", run.log_text()
    return run


@pytest.mark.slow
def test_a_small_network_learns_tones(home, tmp_path):
    """Recordings of one's own, by the way that everybody takes: read, trained, promoted, measured, asked."""
    random = np.random.default_rng(0)
    hertz = {"low": 300, "middle": 900, "high": 2400}
    sounds = {}
    for word, pitch in hertz.items():
        (tmp_path / "words" / word).mkdir(parents=True)
        for number in range(20):
            times = np.arange(round(random.uniform(0.25, 0.4) * RATE)) / RATE
            sounds[word] = 0.5 * np.sin(2 * np.pi * pitch * random.uniform(0.97, 1.03) * times) * np.hanning(len(times))
            soundfile.write(tmp_path / "words" / word / f"{number}.wav", sounds[word], RATE)
    config = dataclasses.replace(
        WORDS.variant().config,
        bands=20,
        filters=24,
        depth=1,
        kernel=3,
        dropout=0.0,
        masks=0,
        # The moving averages of its normalisation need some hundred steps to forget where they began.
        num_epochs=40,
        batch_size=4,
        learning_rate=0.01,
        validation_fraction=0.1,
        precision="float32",
    )
    with layerwise.open_workspace(home) as workspace:
        run = finished(jobs.start(workspace.runs, WORDS, config=config, data=tmp_path / "words"))
        workspace.versions.promote(WORDS, run)
        measured = evaluate(workspace, WORDS.name, data=tmp_path / "words")
        assert measured["metrics"]["word_error_rate"] == 0
        assert measured["metrics"]["recording_accuracy"] == 1
        gap = np.zeros(round(0.3 * RATE))
        said = ["high", "low", "low", "middle"]
        sound = np.concatenate([gap, *[part for word in said for part in (sounds[word], gap)]])
        answer = workspace.predictor.predict(WORDS.name, {"audio": (RATE, sound)})
    assert answer["text"] == " ".join(said)
    assert workspace.versions.current(WORDS).task.symbols == ("high", "low", "middle")
