"""What the tests of shipped weights share."""

from dataclasses import replace

from layerwise.config import config_from


def trained_config(record, variant):
    """The config in the record of a variant's weights, as the variant would have it today: some were trained in 16 bits
    before "auto" chose them where they are fast."""
    return replace(config_from(type(variant.config), record["config"]), precision=variant.config.precision)
