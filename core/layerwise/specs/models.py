"""A model with its variants, its card, its examples and where its weights are, as it is handed to the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from layerwise.card_pictures import check_picture
from layerwise.config import TrainingConfig, settings_of
from layerwise.errors import NotFoundError, SpecError
from layerwise.specs.checks import check_name, check_text
from layerwise.specs.references import Reference, check_reference
from layerwise.tasks.base import Task

KERAS = "keras"
"""The framework of networks that are trained, looked into and exported here."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a reader should know about a model before trusting it.

    Args:
        title: A few words, shown on the model's card.
        summary: One sentence, shown below the title.
        description: Markdown: how it works, what it was trained on and how its settings were chosen.
        limits: Markdown: what it is not for and where it fails.
        licence: Licence of the weights, as an SPDX identifier.
        sources: Papers or pages that it stands on.
        picture: A file that shows at first sight what it does, three times as wide as high; None for a picture that
            Layerwise makes of its examples. PNG, JPEG, WebP, which may move for some seconds, or SVG: dark lines on
            nothing, which become light ones in the dark look.
        invitation: A few words that invite to the model's first example, "Find the face of an astronaut", or to its
            page where it has none. Home shows one for each domain, that of the first model that has one.

    Raises:
        SpecError: A text is missing, or the picture is of another sort.
    """

    title: str
    summary: str
    description: str = ""
    limits: str = ""
    licence: str = "Apache-2.0"
    sources: tuple[str, ...] = ()
    picture: Path | None = None
    invitation: str = ""

    def __post_init__(self) -> None:
        check_text("ModelCard", title=self.title, summary=self.summary)
        if self.picture is not None:
            check_picture(self.picture)


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """Weights that somebody has published and that are too large to be shipped: `layerwise fetch` gets them.

    Args:
        read: `(source, task, config, progress) -> layerwise.fetching.Fetched`, given the model's task and the config
            of the variant. It alone knows how to get them and how they are stored; `progress(file, done, total)`, in
            bytes, is to be called as they come.
        source: Where they are unless told otherwise: an id at a hub, a folder, a file.
        size: About how many bytes are downloaded.
        licence: Their licence, as an SPDX identifier.
    """

    read: Reference
    source: str
    size: int
    licence: str

    def __post_init__(self) -> None:
        check_reference("PublishedWeights", "read", self.read)
        check_text("PublishedWeights", source=self.source, licence=self.licence)
        if not (isinstance(self.size, int) and self.size > 0):
            raise SpecError(
                "PublishedWeights: size is not usable", expected="a number of bytes", received=repr(self.size)
            )


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A named configuration of a model, with its weights when they are shipped or published.

    Args:
        name: One word: "dense".
        summary: One sentence that tells it from the other variants.
        config: The config it is built and trained with unless told otherwise.
        weights: A version folder (`layerwise.weights`) that is shipped, or None.
        fine_tuning: The config with which a training goes on from a version, mostly on other data; None is `config`. A
            training of the model's own (`ModelSpec.train`) can do so only where there is one.
        published: Weights that can be fetched, in place of shipped ones, or None.
        task: Fields of the model's task that are others in a training of this variant: `{"representation": "graph"}`.
        num_parameters: Of a model whose weights are no version of Layerwise's, how many they are, if that is known.
    """

    name: str
    summary: str = ""
    config: TrainingConfig = field(default_factory=TrainingConfig)
    weights: Path | None = None
    fine_tuning: TrainingConfig | None = None
    published: PublishedWeights | None = None
    task: Mapping[str, Any] = field(default_factory=dict)
    num_parameters: int | None = None

    def __post_init__(self) -> None:
        check_name("Variant", self.name)
        if self.published is not None and not isinstance(self.published, PublishedWeights):
            raise SpecError(
                f"The variant {self.name!r}: published is not usable",
                expected="PublishedWeights",
                received=repr(self.published),
            )
        if self.weights is not None and self.published is not None:
            raise SpecError(
                f"The variant {self.name!r} has two sorts of weights", expected="either weights or published"
            )
        for config in self.configs:
            if not isinstance(config, TrainingConfig):
                raise SpecError(
                    f"The variant {self.name!r} has no usable config",
                    expected="an instance of a TrainingConfig",
                    received=repr(config),
                )

    @property
    def configs(self) -> tuple[TrainingConfig, ...]:
        """The configs that it has."""
        return (self.config,) if self.fine_tuning is None else (self.config, self.fine_tuning)


@dataclass(frozen=True, kw_only=True)
class Example:
    """An input to try, with a caption. `inputs` is what the task's `encode` takes; files as Path."""

    inputs: Mapping[str, Any]
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model that can be built, trained, loaded and shown.

    Args:
        name: "domain/application"; the domain is the page on which it appears.
        task: What goes in, what comes out. A trained version keeps its own copy of the parameters.
        build: `(config, task) -> keras.Model`. The task is given because the size of the head follows the
            labels, which follow the data.
        data: The name of a registered DatasetSpec that it is trained on, or None.
        config: The type of its config.
        variants: Named configs, the first the default. Empty means one, "default", of `config()`.
        train: `(context) -> None` for models that the core's supervised loop cannot train.
        runner: `(version) -> Runner` for models that are more than one forward pass; or `(version, registered)`,
            where `registered()` is the newest `layerwise.snapshot.Snapshot`, for those that answer from what is
            registered.
        card: What a reader should know.
        examples: A function without arguments that gives a sequence of Example.
        framework: What its network is computed with, if not with Keras: "torch". Such a model answers by its `runner`,
            in a process of its own; it has no layers to look into here, and only its own `train` can train it.

    Raises:
        SpecError: A value is not usable; the text says what was expected.
    """

    name: str
    task: Task
    build: Reference
    card: ModelCard
    data: str | None = None
    config: type[TrainingConfig] = TrainingConfig
    variants: tuple[Variant, ...] = ()
    train: Reference | None = None
    runner: Reference | None = None
    examples: Reference | None = None
    framework: str = KERAS

    def __post_init__(self) -> None:
        check_name("ModelSpec", self.name, parts=2)
        owner = f"ModelSpec {self.name}"
        check_name(f"{owner}: framework", self.framework)
        if self.framework != KERAS and self.runner is None:
            raise SpecError(f"{owner} is computed with {self.framework} and has no runner", expected="a runner")
        if not isinstance(self.task, Task):
            raise SpecError(f"{owner}: task is not usable", expected="a Task", received=repr(self.task))
        if not isinstance(self.card, ModelCard):
            raise SpecError(f"{owner}: card is not usable", expected="a ModelCard", received=repr(self.card))
        check_reference(owner, "build", self.build)
        for name in ("train", "runner", "examples"):
            check_reference(owner, name, getattr(self, name), required=False)
        if self.data is not None:
            check_name(f"{owner}: data", self.data)
        if not (isinstance(self.config, type) and issubclass(self.config, TrainingConfig)):
            raise SpecError(
                f"{owner}: config is not usable", expected="a subclass of TrainingConfig", received=repr(self.config)
            )
        settings_of(self.config)
        object.__setattr__(self, "variants", self._checked_variants(owner))

    def _checked_variants(self, owner: str) -> tuple[Variant, ...]:
        variants = tuple(self.variants) or (Variant(name="default", config=self.config()),)
        names = [variant.name for variant in variants]
        if len(set(names)) != len(names):
            raise SpecError(f"{owner} names a variant twice", received=", ".join(names))
        for variant in variants:
            for config in variant.configs:
                if not isinstance(config, self.config):
                    raise SpecError(
                        f"{owner}: the variant {variant.name!r} has a config of another type",
                        expected=self.config.__name__,
                        received=type(config).__name__,
                    )
            self.task_of(variant)
        return variants

    @property
    def domain(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def is_trainable(self) -> bool:
        """Whether there can be something to train it on: a data set, what its own training makes, or the user's own
        data."""
        if self.framework != KERAS:
            return self.train is not None
        return self.data is not None or self.train is not None or bool(self.task.folder_format)

    def task_of(self, variant: Variant) -> Task:
        """The task with the fields of a variant.

        Raises:
            SpecError: It has no such fields, or they are not usable.
        """
        try:
            return replace(self.task, **variant.task)
        except TypeError as error:
            raise SpecError(
                f"ModelSpec {self.name}: the variant {variant.name!r} names fields that the task does not have",
                received=str(error),
            ) from None

    def variant(self, name: str | None = None) -> Variant:
        """The variant of that name, the default one for None.

        Raises:
            NotFoundError: It has none of that name.
        """
        if name is None:
            return self.variants[0]
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise NotFoundError(
            f"{self.name} has no variant {name!r}",
            remedy=f"choose one of {', '.join(variant.name for variant in self.variants)}",
        )


@dataclass(frozen=True, kw_only=True)
class ForeignSpec(ModelSpec):
    """A model of a plugin that has a Python of its own. This process knows what that has described and never imports
    the plugin, so its references lead nowhere here.

    Args:
        python: The path of that Python.
    """

    python: str
