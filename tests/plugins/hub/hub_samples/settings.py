"""The settings that networks of several families have."""

LABELS = {0: "cat", 1: "dog", 2: "fish"}
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
PATCHES = {"image_size": 32, "patch_size": 8}
