"""A tokenizer of a few words."""

from __future__ import annotations

from pathlib import Path

TEXTS = (
    "the cat sat on the mat",
    "a dog barked at the moon all night",
    "music is louder in the evening",
    "we translate short sentences",
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tokenizer(folder: Path, kind="bert", *, chat=False):
    """A tokenizer of the words of TEXTS, by characters where it knows none."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>", "<|user|>", "<|assistant|>"]
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    ends = {"bert": "<s> $A </s>", "t5": "$A </s>", "gpt": "$A"}[kind]
    if kind != "gpt":
        made.post_processor = processors.TemplateProcessing(
            single=ends, special_tokens=[(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
        )
    found = PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=64,
    )
    if chat:
        found.chat_template = CHAT_TEMPLATE
    found.save_pretrained(folder)
    return found
