"""Small networks of the Whisper family with random weights, and how they are published."""

import json
from dataclasses import replace

import keras
import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from layerwise import engines
from layerwise_speech.whisper.network import Whisper
from layerwise_speech.whisper.published import load_published, read_published, variables_of
from layerwise_speech.whisper.shape import WhisperShape
from layerwise_speech.whisper.tokens import SpecialTokens

LANGUAGES = ("en", "zh", "de")
SPECIAL = SpecialTokens(
    start=301,
    end=300,
    translate=305,
    transcribe=306,
    no_timestamps=310,
    languages=LANGUAGES,
    suppressed=(7, 8, 301, 302, 303, 304, 305, 306, 307, 308, 309),
    suppressed_first=(32, 300),
    latest_start=20,
)
SHAPE = WhisperShape(
    vocab_size=311 + 51,
    d_model=32,
    encoder_layers=2,
    encoder_attention_heads=4,
    encoder_ffn_dim=48,
    decoder_layers=3,
    decoder_attention_heads=2,
    decoder_ffn_dim=40,
    max_source_positions=50,
    max_target_positions=40,
)
"""A window is a second."""


def sounds(count=1, seconds=1.0, seed=0):
    """Waveforms float32 [count, samples] that get louder, with silence at the end of the first."""
    found = np.random.default_rng(seed).normal(0, 0.1, (count, int(16_000 * seconds))).astype("float32")
    found *= np.linspace(0.01, 1, found.shape[1], dtype="float32")
    found[0, -4000:] = 0
    return found


def text_tokenizer():
    """Byte-pair encoding of bytes, with the tokens of SPECIAL after the 300 of texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    text = "the cat sat on the mat and the dog sat there; she said that it had rained all day in the northern hills"
    tokenizer.train_from_iterator([text] * 3, trainer)
    assert tokenizer.get_vocab_size() == 300
    names = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe", "startoflm", "startofprev"]
    names += ["nospeech", "notimestamps"]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", normalized=False, special=True) for name in names])
    return tokenizer


def small_whisper(**changes):
    """Random weights, none of which is 0 or 1, so that none of them can be forgotten."""
    keras.utils.set_random_seed(1)
    whisper = Whisper(replace(SHAPE, **changes))
    random = np.random.default_rng(1)
    for variable, _ in variables_of(whisper).values():
        variable.assign(variable + random.normal(0, 0.15, variable.shape).astype("float32"))
    return whisper


def write_settings(folder, shape=SHAPE, *, is_multilingual=True):
    """All that is published beside the arrays."""
    tokens = {"bos_token_id": 301, "eos_token_id": 300, "pad_token_id": 300, "decoder_start_token_id": 301}
    config = {name: getattr(shape, name) for name in shape.__dataclass_fields__}
    config |= {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", **tokens}
    generation = {
        **tokens,
        "suppress_tokens": list(SPECIAL.suppressed),
        "begin_suppress_tokens": list(SPECIAL.suppressed_first),
        "max_initial_timestamp_index": SPECIAL.latest_start,
        "is_multilingual": is_multilingual,
        "max_length": shape.max_target_positions,
        "no_timestamps_token_id": SPECIAL.no_timestamps,
        "prev_sot_token_id": 308,
        "lang_to_id": {f"<|{code}|>": 302 + place for place, code in enumerate(LANGUAGES)},
        "task_to_id": {"transcribe": SPECIAL.transcribe, "translate": SPECIAL.translate},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps(generation))
    (folder / "tokenizer.json").write_text(text_tokenizer().to_str())


def publish(whisper, folder, *, is_multilingual=True):
    """Write the weights as they are published, without transformers."""
    folder.mkdir()
    write_settings(folder, whisper.shape, is_multilingual=is_multilingual)
    arrays = {
        name: np.ascontiguousarray(array.T if is_turned else array)
        for name, (variable, is_turned) in variables_of(whisper).items()
        for array in [keras.ops.convert_to_numpy(variable)]
    }
    save_file(arrays, folder / "model.safetensors")
    return folder


def loaded(folder):
    published = read_published(folder)
    whisper = Whisper(published.shape, is_blank=True)
    load_published(whisper, published)
    return whisper


def logits_of(whisper, audio, tokens):
    return keras.ops.convert_to_numpy(whisper.whole()({"audio": audio, "tokens": np.array(tokens, "int32")}))


def compiled(whisper: Whisper):
    """What reads a window, and what writes tokens."""
    compile_predict = engines.current().compile_predict
    return compile_predict(whisper.reader()), compile_predict(whisper.writer())
