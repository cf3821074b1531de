"""Networks that classify, encode, write and translate texts."""

from __future__ import annotations

import json
from pathlib import Path

from hub_samples.files import save, seed
from hub_samples.settings import LABELS, SMALL
from hub_samples.words import tokenizer


def _bert_sizes(vocabulary):
    return {**SMALL, "vocab_size": vocabulary, "max_position_embeddings": 66, "pad_token_id": 0}


def _llama_sizes(vocabulary):
    return {
        **SMALL,
        "vocab_size": vocabulary,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def bert_classifier(folder: Path, **settings):
    from transformers import BertConfig, BertForSequenceClassification

    seed()
    size = len(tokenizer(folder))
    config = BertConfig(**_bert_sizes(size), id2label=LABELS, **settings)
    return save(BertForSequenceClassification(config), folder)


def distilbert_classifier(folder: Path):
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    seed()
    size = len(tokenizer(folder))
    config = DistilBertConfig(
        vocab_size=size, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=64, id2label=LABELS
    )
    return save(DistilBertForSequenceClassification(config), folder)


def roberta_classifier(folder: Path):
    from transformers import RobertaConfig, RobertaForSequenceClassification

    seed()
    size = len(tokenizer(folder))
    return save(RobertaForSequenceClassification(RobertaConfig(**_bert_sizes(size), id2label=LABELS)), folder)


def sentence_encoder(folder: Path, pooling="mean", *, is_normalised=True):
    from transformers import BertConfig, BertModel

    seed()
    size = len(tokenizer(folder))
    save(BertModel(BertConfig(**_bert_sizes(size))), folder)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    if is_normalised:
        modules.append({"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    told = {"word_embedding_dimension": 16, **{f"pooling_mode_{name}": False for name in ("cls_token", "mean_tokens")}}
    told[{"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[pooling]] = True
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n\nRandom weights.\n")
    return folder


def gpt2(folder: Path):
    from transformers import GPT2Config, GPT2LMHeadModel

    seed()
    size = len(tokenizer(folder, "gpt"))
    config = GPT2Config(vocab_size=size, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2)
    return save(GPT2LMHeadModel(config), folder)


def llama(folder: Path, *, chat=True):
    from transformers import LlamaConfig, LlamaForCausalLM

    seed()
    size = len(tokenizer(folder, "gpt", chat=chat))
    return save(LlamaForCausalLM(LlamaConfig(**_llama_sizes(size))), folder)


def qwen2(folder: Path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    seed()
    size = len(tokenizer(folder, "gpt", chat=True))
    return save(Qwen2ForCausalLM(Qwen2Config(**_llama_sizes(size))), folder)


def t5(folder: Path):
    from transformers import T5Config, T5ForConditionalGeneration

    seed()
    size = len(tokenizer(folder, "t5"))
    config = T5Config(
        vocab_size=size,
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        task_specific_params={
            "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 300, "num_beams": 4},
            "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 300, "num_beams": 4},
        },
    )
    return save(T5ForConditionalGeneration(config), folder)


def marian(folder: Path):
    from transformers import MarianConfig, MarianMTModel

    seed()
    size = len(tokenizer(folder, "t5"))
    config = MarianConfig(
        vocab_size=size,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_position_embeddings=64,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
        forced_eos_token_id=2,
    )
    return save(MarianMTModel(config), folder)
