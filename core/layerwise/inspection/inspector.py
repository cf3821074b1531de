"""The inspector of a model: which looks there are into it, and what each shows."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise import stored_plots
from layerwise.config import Settings, config_from
from layerwise.devices import quiet_import
from layerwise.errors import LayerwiseError, NotFoundError
from layerwise.inspection import (
    activations,
    attention,
    example_map,
    grad_cam,
    graph,
    integrated_gradients,
    lens,
    motifs,
    occlusion,
    patches,
    saliency,
    visualisation,
    weights,
)
from layerwise.inspection.looks import Inputs, Look
from layerwise.inspection.subject import Subject
from layerwise.serving.loading import Loaded, explained
from layerwise.specs import resolve
from layerwise.teaching.lessons import in_turn
from layerwise.weights import load_into

if TYPE_CHECKING:
    from layerwise.plots import Plot
    from layerwise.registry import Snapshot
    from layerwise.versions import Reference, Version
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

LOOKS = (
    graph.look,
    activations.look,
    saliency.look,
    integrated_gradients.look,
    grad_cam.look,
    occlusion.look,
    attention.look,
    lens.look,
    example_map.look,
    motifs.look,
    patches.look,
    visualisation.look,
    weights.weights_look,
    weights.gradients_look,
)
KEPT_INSPECTORS, KEPT_RESULTS = 4, 16


class Inspector:
    """Looks into one version of a model. Thread-safe.

    Args:
        loaded: The version in memory.
        snapshot: What is registered.

    Raises:
        LayerwiseError: The model is no Keras network, or its layers cannot be seen.
    """

    def __init__(self, loaded: Loaded, snapshot: Snapshot) -> None:
        quiet_import()
        self.version, self.spec = loaded.version, loaded.spec
        self._subjects = [
            Subject(name, model, loaded.version, loaded.spec, snapshot) for name, model in _networks(loaded).items()
        ]
        self._looks = {
            subject.name: {look.name: look for make in LOOKS if (look := make(subject)) is not None}
            for subject in self._subjects
        }
        self._stored = stored_plots.read(loaded.version.folder)
        self._results: OrderedDict[Any, Sequence[Plot]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of the networks of the model; most have one."""
        return tuple(self._looks)

    def looks(self, network: str | None = None) -> tuple[Look, ...]:
        """The looks that apply to a network, the first one for None."""
        return tuple(self._looks_of(network).values())

    def look(
        self,
        name: str,
        inputs: Inputs = None,
        settings: Settings | Mapping[str, Any] | None = None,
        network: str | None = None,
    ) -> Iterator[Sequence[Plot]]:
        """What a look shows, again and again while it becomes more; once for what is quick.

        Args:
            name: The look.
            inputs: A value for each input field of the task; looks that need none ignore it.
            settings: Values of the look's settings; those left out keep their defaults.
            network: The network, the first one for None.

        Raises:
            NotFoundError: There is no such look or network.
            SpecError: A setting is not valid.
            InputError: The input cannot be used, or is missing.
        """
        look = self._looks_of(network).get(name)
        if look is None:
            raise NotFoundError(
                f"There is no look {name!r} into {self.version.name}",
                remedy=f"choose one of {', '.join(self._looks_of(network))}",
            )
        chosen = settings if isinstance(settings, Settings) else config_from(look.settings, settings or {})
        # What does not depend on an input is computed once.
        key = None if look.needs_input or not look.is_long else (network, name, chosen)
        if key is not None and chosen == look.settings():
            kept = self._stored.get(self._stored_name(network, name))
            if kept is not None:
                yield kept
                return
        with explained(self.version.reference, "be looked into"):
            yield from self._shown(look, inputs, chosen, key)

    def stored(self) -> dict[str, Sequence[Plot]]:
        """All that takes long and needs no input, at its default settings, for `layerwise.stored_plots`; computed anew,
        whatever lies there already."""
        self._stored = {}
        return {
            self._stored_name(network, look.name): list(self.look(look.name, network=network))[-1]
            for network, looks in self._looks.items()
            for look in looks.values()
            if look.is_long and not look.needs_input
        }

    def _stored_name(self, network: str | None, look: str) -> str:
        # By its number: Keras may name a network otherwise the next time.
        number = self.networks.index(network) if network else 0
        return f"{look} {number + 1}" if number else look

    def _shown(self, look: Look, inputs: Inputs, settings: Settings, key: Any) -> Iterator[Sequence[Plot]]:
        with self._lock:
            kept = self._results.get(key)
        if kept is not None:
            yield kept
            return
        last: Sequence[Plot] | None = None
        for last in in_turn(look.show(inputs, settings)):
            yield last
        if key is not None and last is not None:
            with self._lock:
                self._results[key] = last
                while len(self._results) > KEPT_RESULTS:
                    self._results.popitem(last=False)

    def _looks_of(self, network: str | None) -> dict[str, Look]:
        if network is None:
            return next(iter(self._looks.values()))
        if network not in self._looks:
            raise NotFoundError(
                f"{self.version.name} has no network {network!r}", remedy=f"choose one of {', '.join(self._looks)}"
            )
        return self._looks[network]


_kept: OrderedDict[Any, Inspector] = OrderedDict()
_kept_lock = threading.Lock()


def open_inspector(workspace: Workspace, reference: str | Reference) -> Inspector:
    """The inspector of a model: the network that answers is looked into, whatever trained it. The last few are kept.

    Args:
        workspace: Where the model and its versions are.
        reference: The model, variant and version, as for the predictor.

    Raises:
        NotFoundError: There is no such model, variant or version.
        LayerwiseError: It cannot be loaded, or its layers cannot be seen.

    Example:
        >>> inspector = open_inspector(workspace, "vision/fashion:conv")  # doctest: +SKIP
        >>> [look.name for look in inspector.looks()]  # doctest: +SKIP
        ['layers', 'activations', 'saliency', 'integrated-gradients', 'grad-cam', ...]
        >>> *_, plots = inspector.look("grad-cam", {"image": "shoe.png"}, {"target": "Sandal"})  # doctest: +SKIP
    """
    snapshot = workspace.registry.snapshot()
    version = workspace.predictor.version(reference)
    with _kept_lock:
        found = _kept.get(_key(workspace, version))
        if found is not None and found.spec == snapshot.model(version.name):
            _kept.move_to_end(_key(workspace, version))
            return found
    with workspace.predictor.looking_inside(reference) as loaded, explained(loaded.version.reference, "be looked into"):
        inspector = Inspector(loaded, snapshot)
    with _kept_lock:
        _kept[_key(workspace, inspector.version)] = inspector
        while len(_kept) > KEPT_INSPECTORS:
            _kept.popitem(last=False)
    return inspector


def _key(workspace: Workspace, version: Version) -> Any:
    # With the checksum, since a run that still trains replaces its own version after a better epoch.
    return workspace.home, version.reference, version.record.get("sha256")


def _networks(loaded: Loaded) -> dict[str, Any]:
    """The networks of a version by name."""
    import keras

    model: Any = loaded.runner.model if isinstance(loaded.runner.model, keras.Model) else _built(loaded)
    if not isinstance(model, keras.Model):
        raise LayerwiseError(
            f"{loaded.version.name} is no Keras network, so there are no layers to look into",
            expected="a build that gives a keras.Model",
            received=type(model).__name__,
        )
    return dict(model.inspectable()) if hasattr(model, "inspectable") else {model.name: model}


def _built(loaded: Loaded) -> Any:
    """The network of a model whose runner shows none, built and loaded anew; None when `build` is of no use without
    that runner."""
    import keras

    version = loaded.version
    try:
        model = resolve(loaded.spec.build)(version.config, version.task)
    except Exception:
        logger.info("%s cannot be built without its runner", version.name, exc_info=True)
        return None
    if isinstance(model, keras.Model):
        load_into(model, version.folder)
    return model
