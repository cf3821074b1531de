"""Networks that hear: they write down what is said, or make vectors."""

from __future__ import annotations

import json
from pathlib import Path

from hub_samples.files import change, save, seed
from hub_samples.settings import SMALL
from hub_samples.words import tokenizer

_WAVES = {
    **SMALL,
    "conv_dim": [8, 8],
    "conv_stride": [20, 16],
    "conv_kernel": [30, 16],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}


def whisper(folder: Path):
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    seed()
    words = tokenizer(folder, "gpt")
    names = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|translate|>", "<|notimestamps|>"]
    names += [f"<|{second / 50:.2f}|>" for second in range(1501)]
    words.add_tokens(names, special_tokens=True)
    words.save_pretrained(folder)
    config = WhisperConfig(
        vocab_size=len(words),
        num_mel_bins=80,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=16,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_target_positions=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=2,
        decoder_start_token_id=words.convert_tokens_to_ids("<|startoftranscript|>"),
    )
    model = WhisperForConditionalGeneration(config)
    settings = model.generation_config
    settings.no_timestamps_token_id = words.convert_tokens_to_ids("<|notimestamps|>")
    settings.lang_to_id = {"<|en|>": words.convert_tokens_to_ids("<|en|>")}
    settings.task_to_id = {"transcribe": words.convert_tokens_to_ids("<|transcribe|>")}
    settings.is_multilingual = True
    settings.max_length = 40
    settings.begin_suppress_tokens = None
    settings._from_model_config = False
    save(model, folder, WhisperFeatureExtractor(feature_size=80))
    change(folder / "tokenizer_config.json", tokenizer_class="WhisperTokenizer")
    return folder


def wav2vec2(folder: Path):
    from transformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    seed()
    folder.mkdir(parents=True, exist_ok=True)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(letters)}))
    config = Wav2Vec2Config(**{**_WAVES, "num_hidden_layers": 1}, vocab_size=len(letters), pad_token_id=0)
    words = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    return save(Wav2Vec2ForCTC(config), folder, words, Wav2Vec2FeatureExtractor())


def wav2vec2_encoder(folder: Path):
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    seed()
    return save(Wav2Vec2Model(Wav2Vec2Config(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def hubert(folder: Path):
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    seed()
    return save(HubertModel(HubertConfig(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def wavlm(folder: Path):
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

    seed()
    return save(WavLMModel(WavLMConfig(**_WAVES)), folder, Wav2Vec2FeatureExtractor())


def spectrogram_transformer(folder: Path):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    seed()
    config = ASTConfig(**SMALL, max_length=200, num_mel_bins=32, patch_size=8, time_stride=8, frequency_stride=8)
    return save(ASTModel(config), folder, ASTFeatureExtractor(num_mel_bins=32, max_length=200))
