"""The three networks of MTCNN, each of which looks closer at what the one before proposed.

Zhang, Zhang, Li and Qiao 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks", arXiv:1604.02878, figure 2. All take pixels as (value - 127.5) / 128 and give, in this order, the
probabilities of no face and of a face; by how much the sides of its box have to be moved (left, top, right, bottom, by
the side of the window); and the last one also five points (their x, then their y, by the side of the window).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

    from layerwise import TrainingConfig
    from layerwise_vision.faces import FaceDetection

WINDOW, STRIDE = 12, 2
"""What one output of the first network sees, and how far it is from the next, in pixels."""
REFINE_SIDE, OUTPUT_SIDE = 24, 48
"""What the second and the third network take, in pixels."""


def proposal_network() -> keras.Model:
    """[batch, height, width, 3] to probabilities [batch, rows, columns, 2] and shifts [batch, rows, columns, 4], for
    windows of 12 x 12 pixels, 2 apart."""
    import keras

    layers: Any = keras.layers
    inputs = x = keras.Input((None, None, 3), name="picture")
    x = _convolution(x, 10, 3, "1")
    x = layers.MaxPooling2D(2, padding="same", name="pool_1")(x)
    x = _convolution(x, 16, 3, "2")
    x = _convolution(x, 32, 3, "3")
    face = layers.Conv2D(2, 1, activation="softmax", name="face")(x)
    shifts = layers.Conv2D(4, 1, name="shifts")(x)
    return keras.Model(inputs, [face, shifts], name="proposal")


def refine_network() -> keras.Model:
    """[batch, 24, 24, 3] to probabilities [batch, 2] (none, face) and shifts [batch, 4]."""
    import keras

    layers: Any = keras.layers
    inputs = x = keras.Input((REFINE_SIDE, REFINE_SIDE, 3), name="window")
    x = _convolution(x, 28, 3, "1")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool_1")(x)
    x = _convolution(x, 48, 3, "2")
    x = layers.MaxPooling2D(3, 2, padding="valid", name="pool_2")(x)
    x = _convolution(x, 64, 2, "3")
    x = _dense(x, 128)
    face = layers.Dense(2, activation="softmax", name="face")(x)
    return keras.Model(inputs, [face, layers.Dense(4, name="shifts")(x)], name="refine")


def output_network() -> keras.Model:
    """[batch, 48, 48, 3] to probabilities [batch, 2] (none, face), shifts [batch, 4] and points [batch, 10]."""
    import keras

    layers: Any = keras.layers
    inputs = x = keras.Input((OUTPUT_SIDE, OUTPUT_SIDE, 3), name="window")
    x = _convolution(x, 32, 3, "1")
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool_1")(x)
    x = _convolution(x, 64, 3, "2")
    x = layers.MaxPooling2D(3, 2, padding="valid", name="pool_2")(x)
    x = _convolution(x, 64, 3, "3")
    x = layers.MaxPooling2D(2, padding="same", name="pool_3")(x)
    x = _convolution(x, 128, 2, "4")
    x = _dense(x, 256)
    face = layers.Dense(2, activation="softmax", name="face")(x)
    shifts, points = layers.Dense(4, name="shifts")(x), layers.Dense(10, name="points")(x)
    return keras.Model(inputs, [face, shifts, points], name="output")


def _convolution(x: Any, filters: int, side: int, name: str) -> Any:
    """A convolution without padding, and a ReLU whose slope below zero is learned for each filter."""
    from keras import layers

    x = layers.Conv2D(filters, side, name=f"convolution_{name}")(x)
    return layers.PReLU(shared_axes=[1, 2], name=f"prelu_{name}")(x)


def _dense(x: Any, units: int) -> Any:
    from keras import layers

    x = layers.Flatten(name="flatten")(x)
    return layers.PReLU(name="prelu_dense")(layers.Dense(units, name="dense")(x))


def build(config: TrainingConfig, task: FaceDetection) -> Any:
    """The three networks as one model; `inspectable` has them by name."""
    import keras

    class FaceNetworks(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="faces")
            self.proposal, self.refine = proposal_network(), refine_network()
            self.output_network = output_network()
            self.built = True

        def inspectable(self) -> dict[str, keras.Model]:
            # The last one first: it sees most of a face.
            return {"output": self.output_network, "refine": self.refine, "proposal": self.proposal}

    return FaceNetworks()
