"""The two models and the table that they are shown on, until somebody brings another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerwise import DatasetSpec, Example, ModelCard, ModelSpec, Source, TrainingConfig, Variant, setting
from layerwise.errors import LayerwiseError
from layerwise.tasks import Column
from layerwise_estimates.task import LEVELS, Estimate

if TYPE_CHECKING:
    import keras

    from layerwise.data import Split

# In the order of scikit-learn's columns. Mean and deviation are those of the training rows, rounded.
_NUMBERS = {
    "age": (48.5, 13.1),
    "body mass index": (26.4, 4.4),
    "blood pressure": (94.6, 13.8),
    "total cholesterol": (189.0, 34.6),
    "LDL": (115.0, 30.4),
    "HDL": (49.8, 12.9),
    "cholesterol to HDL": (4.07, 1.29),
    "log triglycerides": (4.64, 0.52),
    "blood sugar": (91.3, 11.5),
}
_COLUMNS = {name: Column(name=name, kind="number", mean=m, deviation=d) for name, (m, d) in _NUMBERS.items()}
TASK = Estimate(
    columns=(
        _COLUMNS["age"],
        Column(name="sex", kind="choice", choices=("1", "2")),
        *(column for name, column in _COLUMNS.items() if name != "age"),
    ),
    target="progression",
    mean=152.0,
    deviation=77.0,
)


def read(files: Mapping[str, Any]) -> dict[str, Split]:
    """The table that comes with scikit-learn; every fifth row is held out."""
    import numpy as np
    from sklearn.datasets import load_diabetes

    from layerwise.data import Split

    rows, targets = load_diabetes(return_X_y=True, scaled=False)
    names = [column.name for column in TASK.columns]
    encoded = TASK.encode_rows([dict(zip(names, row, strict=True)) for row in rows.tolist()])
    is_test = np.arange(len(targets)) % 5 == 0
    return {name: Split(encoded[chosen], targets[chosen]) for name, chosen in (("train", ~is_test), ("test", is_test))}


DATA = DatasetSpec(
    name="diabetes-progression",
    title="How diabetes goes on",
    summary="442 patients, ten measurements of each, and how far the disease was a year later (Efron et al. 2004).",
    sources=(
        Source(
            name="scikit-learn",
            read=read,
            licence="BSD-3-Clause",
            homepage="https://scikit-learn.org/stable/datasets/toy_dataset.html#diabetes-dataset",
        ),
    ),
)


def examples() -> list[Example]:
    """Two patients of the test rows."""
    names = [column.name for column in TASK.columns]
    patients = (
        ((59, "2", 32.1, 101, 157, 93.2, 38, 4.0, 4.86, 87), "it was 151"),
        ((36, "1", 30.0, 95, 201, 125.2, 42, 4.79, 5.13, 85), "it was 220"),
    )
    return [Example(inputs={"row": dict(zip(names, row, strict=True))}, label=label) for row, label in patients]


@dataclass(frozen=True, kw_only=True)
class TreesConfig(TrainingConfig):
    """The settings of boosted trees. An epoch adds some to those of each quantile."""

    unused = (
        "batch_size",
        "optimizer",
        "schedule",
        "warmup_epochs",
        "weight_decay",
        "label_smoothing",
        "frozen_epochs",
        "lora_rank",
        "patience",
        "checkpoint_minutes",
        "precision",
        "compiler",
        "deterministic",
    )
    trees: int = setting(10, "Trees that an epoch adds for each quantile", minimum=1, maximum=1000)
    depth: int = setting(3, "Questions that a tree asks one after another", minimum=1, maximum=12)
    smallest_leaf: int = setting(8, "Rows in a leaf, at least", minimum=1, maximum=10_000, unit="rows")
    subsample: float = setting(0.5, "Share of the rows that each tree is grown on", minimum=0.05, maximum=1)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(TrainingConfig):
    """The settings of the network beside it."""

    hidden_units: tuple[int, ...] = setting((32,), "Width of each hidden layer", minimum=1, maximum=4096, unit="units")
    dropout: float = setting(0.1, "Share of units zeroed in a training step", minimum=0, maximum=0.9)


def build_network(config: NetworkConfig, task: Estimate) -> keras.Model:
    """Encoded columns, float32 [rows, features], to the quantiles [rows, 3]."""
    from layerwise.networks import dense_network

    return dense_network((task.num_features,), config.hidden_units, output_units=len(LEVELS), dropout=config.dropout)


def build_none(config: TreesConfig, task: Estimate) -> Any:
    """There is none: trees train and answer by themselves. Whoever wants to look inside is told so."""
    raise LayerwiseError(
        "Boosted trees have no network to look into", remedy="the answer says what each column adds to it"
    )


def tree_runner(version: Any) -> Any:
    """What answers for a version."""
    from layerwise_estimates.runners import TreeEstimates

    return TreeEstimates(version)


_LIMITS = (
    "The interval holds nine times in ten for rows like those of the table, all together: not for each sort of row, "
    "nor for other rows. What a column adds is what the model makes of it, and no cause. Nobody should be treated by "
    "what 442 patients taught it."
)
_OWN = "Train it on a table of your own: a CSV with the number to be predicted in its last column.\n\n"
_PAPERS = ("https://arxiv.org/abs/1905.03222", "https://doi.org/10.1214/009053604000000067")

MODELS = [
    ModelSpec(
        name="tables/trees",
        task=TASK,
        build=build_none,
        train="layerwise_estimates.trees:train",
        runner=tree_runner,
        data=DATA.name,
        config=TreesConfig,
        examples=examples,
        variants=(
            Variant(
                name="boosted",
                summary="100 small trees for each quantile",
                config=TreesConfig(num_epochs=10, learning_rate=0.05, validation_fraction=0.25),
            ),
        ),
        card=ModelCard(
            title="A number by boosted trees",
            summary="A number and its 90 % interval from a row of your table, by gradient boosting of scikit-learn.",
            description=_OWN
            + "Small trees are grown one after another, each on what those before it left, for the 5 %, 50 % and 95 % "
            "quantiles. A quarter of the rows is held out: by it the interval is made as wide as it must be to hold "
            "(conformalised quantile regression). They are kept as arrays, so nothing is loaded that could run.",
            limits=_LIMITS,
            sources=("https://scikit-learn.org/stable/modules/ensemble.html", *_PAPERS),
        ),
    ),
    ModelSpec(
        name="tables/network",
        task=TASK,
        build=build_network,
        data=DATA.name,
        config=NetworkConfig,
        examples=examples,
        variants=(
            Variant(
                name="dense",
                summary="A hidden layer of 32 units",
                config=NetworkConfig(num_epochs=60, batch_size=32, learning_rate=0.005, validation_fraction=0.25),
            ),
        ),
        card=ModelCard(
            title="A number by a network",
            summary="A number and its 90 % interval from a row of your table, by a dense network.",
            description=_OWN
            + "The same as the boosted trees beside it, by a network with three outputs, one for each quantile, "
            "learned by the pinball loss. With a few hundred rows neither is clearly better: see `layerwise compare`.",
            limits=_LIMITS,
            sources=_PAPERS,
        ),
    ),
]
