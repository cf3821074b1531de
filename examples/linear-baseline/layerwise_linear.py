"""Which garment a picture shows, by logistic regression of scikit-learn: what a network has to beat.

A model that is not Keras: it trains by itself, keeps its numbers as arrays, and answers by a runner of its own. The
task, the data, the page, the train form and the measuring are those of the networks beside it.
"""

from __future__ import annotations

import time

from layerwise import ModelCard, ModelSpec, TrainingConfig, Variant, hookimpl
from layerwise.errors import LayerwiseError
from layerwise.runner import Runner
from layerwise.tasks import ImageClassification

GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def pixels_of(pictures):
    """Pictures, uint8 [examples, height, width, channels], as numbers from 0 to 1, float32 [examples, pixels]."""
    import numpy as np

    return np.asarray(pictures, "float32").reshape(len(pictures), -1) / 255


def train(context):
    """Pass over the pictures by stochastic gradient descent, each time in another order."""
    import numpy as np
    from sklearn.linear_model import SGDClassifier

    split, validation = context.read_data()
    inputs, targets = pixels_of(split.inputs), np.asarray(split.targets)
    config, classes = context.config, np.arange(len(context.task.labels))
    model = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=config.seed)
    epoch, checkpoint = 1, context.latest_checkpoint()
    if checkpoint is not None:
        # One example makes it what it was; then its numbers are put in their places.
        model.partial_fit(inputs[:1], targets[:1], classes=classes)
        model.coef_, model.intercept_ = checkpoint.arrays["coef"], checkpoint.arrays["intercept"]
        epoch, model.t_ = checkpoint.state["epoch"], checkpoint.state["t"]
    context.started(
        num_parameters=(inputs.shape[1] + 1) * len(classes), examples=len(inputs), steps_per_epoch=1, epoch=epoch
    )
    while epoch <= config.num_epochs and not context.should_stop():
        begin = time.perf_counter()
        # An order that follows from the seed and the epoch needs no place in the checkpoint.
        order = np.random.default_rng((config.seed, epoch)).permutation(len(inputs))
        model.partial_fit(inputs[order], targets[order], classes=classes)
        figures = {"accuracy": float(model.score(inputs, targets))}
        if validation is not None:
            figures["val_accuracy"] = float(model.score(pixels_of(validation.inputs), np.asarray(validation.targets)))
        context.finished_epoch(epoch=epoch, **figures, seconds=time.perf_counter() - begin)
        arrays = {"coef": model.coef_.copy(), "intercept": model.intercept_.copy()}
        kept = {name: array.astype("float32") for name, array in arrays.items()}
        context.save_version(kept, epoch=epoch, metrics=figures)
        epoch += 1
        context.save_checkpoint(arrays, {"epoch": epoch, "t": float(model.t_)}, epoch=epoch, step=0)


class LinearRunner(Runner):
    """A product of matrices: what the network beside it does several times.

    Args:
        version: The trained one.
    """

    def __init__(self, version):
        from layerwise.weights import read_arrays

        self.task, arrays = version.task, read_arrays(version.folder)
        self.coef, self.intercept = arrays["coef"], arrays["intercept"]

    def outputs(self, batch):
        """Log-probabilities up to a constant, float32 [examples, classes], each class against all others."""
        import numpy as np

        scores = pixels_of(batch) @ self.coef.T + self.intercept
        # As scikit-learn has it: a sigmoid for each class, and then their sum is made 1.
        return -np.logaddexp(0, -scores).astype("float32")

    def run(self, inputs, session, cancelled):
        return self.task.decode(self.outputs(self.task.encode(inputs)))[0]


def runner(version):
    """What answers for a version."""
    return LinearRunner(version)


def build(config, task):
    """There is none: the model trains and answers by itself. Whoever wants to look inside is told so."""
    raise LayerwiseError("Logistic regression has no network to look into")


@hookimpl
def layerwise_models():
    return [
        ModelSpec(
            name="vision/linear",
            task=ImageClassification(labels=GARMENTS, size=(28, 28), channels=1, polarity="light-on-dark"),
            build=build,
            train=train,
            runner=runner,
            data="fashion-mnist",
            variants=(Variant(name="logistic", config=TrainingConfig(num_epochs=10)),),
            card=ModelCard(
                title="Garments by logistic regression",
                summary="One multiplication of matrices: what a network has to beat.",
                description="Each pixel votes for or against each garment, by scikit-learn's `SGDClassifier` with "
                "the logistic loss. There is no hidden layer, so it cannot see that two pixels belong together.",
                limits="It knows ten garments in grey, in the middle of the picture; one that is moved throws it off.",
                sources=("https://scikit-learn.org/stable/modules/sgd.html", "https://arxiv.org/abs/1708.07747"),
            ),
        )
    ]
