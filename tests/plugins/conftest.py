"""What the tests of several plugins share."""

import pytest


@pytest.fixture
def sixteen_bits():
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")
