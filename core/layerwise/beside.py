"""Models side by side: several that take the same input, asked the same, with what each answer costs.

for replies in ask(workspace, ["vision/fashion:conv", "vision/fashion:dense"], "shoe.png"):
    ...  # the last ones are whole
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from layerwise.errors import UNEXPECTED, InputError, LayerwiseError
from layerwise.serving.footprint import Footprint, footprint
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.board_game import BoardGame
from layerwise.tasks.fields import FILE_KINDS, Field, main_field
from layerwise.versions import Reference, parse_reference

if TYPE_CHECKING:
    from layerwise.snapshot import Snapshot
    from layerwise.workspace import Workspace

logger = logging.getLogger(__name__)

MOST_MODELS = 8
"""As many as there are colours that everybody can tell apart."""
REPEATS, REPEAT_SECONDS = 5, 3.0
"""How often an answer is asked for again to be timed, and after how long no more."""
_RAW_KINDS = ("text", "sketch", *FILE_KINDS)
"""The kinds of what one model may be asked as well as another, also where it is optional."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Models that can be asked the same.

    Args:
        title: What they have in common, a few words.
        fields: The inputs that all of them take.
        references: Every variant of every model.
    """

    title: str
    fields: tuple[Field, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What one model makes of the input, so far.

    Args:
        asked: The model as it was named.
        reference: The version that answers, in full; empty before it is known.
        state: "waiting", "loading", "answering", "timing", "done" or "failed".
        outputs: What its answers are made of.
        answer: Its answer, perhaps not whole yet; None before there is one.
        error: Why there is none.
        seconds: The median time of an answer once the model is loaded, from raw input to answer.
        num_timed: Of how many answers.
        footprint: What it takes.
    """

    asked: str
    reference: str = ""
    state: str = "waiting"
    outputs: tuple[Field, ...] = ()
    answer: Answer | None = None
    error: str = ""
    seconds: float | None = None
    num_timed: int = 0
    footprint: Footprint | None = None


def kind_of(task: Task) -> tuple[Any, ...] | None:
    """What tasks have in common that can be asked the same: the inputs that they need, and what they say first; where
    no single input is needed, their type too. None for those that play or act rather than answer, or do not say what
    they take."""
    if isinstance(task, BoardGame):
        return None
    try:
        return _kind_of(task)
    except Exception:  # a plugin's code
        logger.warning("A %s does not say what it takes or gives", type(task).__name__, exc_info=True)
        return None


def _kind_of(task: Task) -> tuple[Any, ...] | None:
    needed, more = [field for field in task.inputs if not field.optional], ""
    if not needed:
        main = main_field(task.inputs)
        if main is None or main.kind not in _RAW_KINDS:
            return None
        needed, more = [main], task.type_name
    said = task.outputs[0]
    taken = tuple((field.name, field.kind, tuple(part.name for part in field.columns)) for field in needed)
    return taken, (said.name, said.kind), more


def families(snapshot: Snapshot) -> list[Family]:
    """The models that are registered, those together that can be asked the same; in the order of the registry."""
    found: dict[Any, list[tuple[Reference, Task]]] = {}
    for spec in snapshot.models.values():
        for variant in spec.variants:
            task = spec.task_of(variant)
            if (kind := kind_of(task)) is not None:
                found.setdefault(kind, []).append((Reference(spec.name, variant.name), task))
    return [
        Family(
            title=_title([task for _, task in members]),
            # What was said before is no input that one gives.
            fields=tuple(item for item in shared_fields([task for _, task in members]) if item.kind != "conversation"),
            references=tuple(reference for reference, _ in members),
        )
        for members in found.values()
    ]


def _title(tasks: Sequence[Task]) -> str:
    names = dict.fromkeys(task.type_name.replace("-", " ").replace("ctc ", "CTC ") for task in tasks)
    text = ", ".join(names)
    return text[0].upper() + text[1:]


def shared_fields(tasks: Sequence[Task]) -> tuple[Field, ...]:
    """The inputs of the first task that all the others have too, by name and kind."""
    others = [{(field.name, field.kind) for field in task.inputs} for task in tasks[1:]]
    return tuple(field for field in tasks[0].inputs if all((field.name, field.kind) in names for names in others))


def check_same(workspace: Workspace, models: Sequence[str | Reference]) -> list[Reference]:
    """The models, each once, with their variants filled in.

    Raises:
        NotFoundError: There is no such model or variant.
        InputError: They are fewer than two or too many, or they do not take the same.
    """
    snapshot, found = workspace.registry.snapshot(), {}
    for model in models:
        parsed = parse_reference(model)
        spec = snapshot.model(parsed.name)
        reference = Reference(spec.name, spec.variant(parsed.variant).name, parsed.version)
        found[reference] = _task_of(workspace, reference)
    if not 2 <= len(found) <= MOST_MODELS:
        raise InputError(
            "Models cannot be set side by side", expected=f"2 to {MOST_MODELS} models", received=str(len(found))
        )
    first = next(iter(found))
    for reference, task in found.items():
        if kind_of(task) is None or kind_of(task) != kind_of(found[first]):
            raise InputError(
                "These models cannot be asked the same",
                expected=f"models that take and say what {first} does ({_described(found[first])})",
                received=f"{reference} ({_described(task)})",
            )
    return list(found)


def _task_of(workspace: Workspace, reference: Reference) -> Task:
    """The task of the version that would answer; that of its variant where there is none yet."""
    try:
        return workspace.predictor.version(reference).task
    except LayerwiseError:
        spec = workspace.registry.snapshot().model(reference.name)
        return spec.task_of(spec.variant(reference.variant))


def _described(task: Task) -> str:
    names = [field.title.lower() for field in task.inputs if not field.optional] or [task.inputs[0].title.lower()]
    return f"{', '.join(names)} in, {task.outputs[0].title.lower()} out"


def ask(
    workspace: Workspace, models: Sequence[str | Reference], inputs: Any, *, repeats: int = REPEATS
) -> Iterator[list[Reply]]:
    """Ask several models the same: first all of them for an answer, one after the other, then again for the time that
    an answer takes when nothing else is computed.

    Args:
        models: Two or more.
        inputs: As for `Predictor.predict`; an optional one is given to those models that take it.
        repeats: How often each is asked again for its time; fewer times where an answer takes long. With 0, or where a
            single answer takes longer than `REPEAT_SECONDS`, the time is that of the first answer.

    Returns:
        The replies in the order of the models, each time there is something new. What goes wrong with one model is
        said in its reply, and the others go on.

    Raises:
        NotFoundError, InputError: As for `check_same`, or no model takes an input of that name.
    """
    references = check_same(workspace, models)
    tasks = [_task_of(workspace, reference) for reference in references]
    if isinstance(inputs, Mapping):
        _check_names(tasks, inputs)
    return _asked(workspace, references, inputs, repeats)


def _check_names(tasks: Sequence[Task], inputs: Mapping[str, Any]) -> None:
    main = main_field(tasks[0].inputs)
    if main is not None and main.kind in ("table", "json") and main.name not in inputs:
        return  # the value itself, by its columns
    known = dict.fromkeys(field.name for task in tasks for field in task.inputs)
    unknown = [name for name in inputs if name not in known]
    if unknown:
        raise InputError(
            "None of the models takes these inputs", expected=", ".join(known), received=", ".join(map(str, unknown))
        )


def _asked(workspace: Workspace, references: Sequence[Reference], inputs: Any, repeats: int) -> Iterator[list[Reply]]:
    replies = [Reply(asked=str(reference)) for reference in references]
    cancelled = threading.Event()
    try:
        for place, reference in enumerate(references):
            for reply in _answered(workspace, replies[place], reference, inputs, cancelled):
                replies[place] = reply
                yield [*replies]
        for place, reference in enumerate(references):
            if replies[place].state == "timing":
                yield [*replies]
                replies[place] = _timed(workspace, replies[place], reference, inputs, repeats)
                yield [*replies]
    finally:
        cancelled.set()


def _answered(
    workspace: Workspace, reply: Reply, reference: Reference, inputs: Any, cancelled: threading.Event
) -> Iterator[Reply]:
    """A model's reply as it grows, up to its answer."""
    predictor = workspace.predictor
    try:
        version = predictor.version(reference)
        reply = replace(reply, reference=version.reference, outputs=version.task.outputs, state="loading")
        yield reply
        # Held here, so that what is asked is what was loaded, and the time is not that of loading.
        with predictor.using(reference) as loaded:
            task = loaded.version.task
            reply = replace(reply, reference=loaded.version.reference, outputs=task.outputs, state="answering")
            reply = replace(reply, footprint=footprint(loaded))
            yield reply
            begin = time.perf_counter()
            for answer in predictor.stream(reference, _of_task(task, inputs), cancelled=cancelled):
                reply = replace(reply, answer=answer)
                yield reply
            yield replace(reply, state="timing", seconds=time.perf_counter() - begin, num_timed=1)
    except Exception as error:
        yield _failed(reply, error)


def _timed(workspace: Workspace, reply: Reply, reference: Reference, inputs: Any, repeats: int) -> Reply:
    """A reply with the time that an answer takes, the first one not counted where there is time for others."""
    times: list[float] = []
    if (reply.seconds or 0.0) <= REPEAT_SECONDS:
        try:
            with workspace.predictor.using(reference) as loaded:
                asked = _of_task(loaded.version.task, inputs)
                end = time.perf_counter() + REPEAT_SECONDS
                while len(times) < repeats and time.perf_counter() < end:
                    begin = time.perf_counter()
                    workspace.predictor.predict(reference, asked, fresh=True)
                    times.append(time.perf_counter() - begin)
        except Exception as error:
            return _failed(reply, error)
    if not times:
        return replace(reply, state="done")
    return replace(reply, state="done", seconds=statistics.median(times), num_timed=len(times))


def _failed(reply: Reply, error: Exception) -> Reply:
    """What a model cannot do is its own business: a plugin's code may raise anything."""
    return replace(reply, state="failed", error=str(error) if isinstance(error, LayerwiseError) else UNEXPECTED)


def _of_task(task: Task, inputs: Any) -> Any:
    """Those of the inputs that a task takes."""
    names = {field.name for field in task.inputs}
    if not isinstance(inputs, Mapping) or not names & inputs.keys():
        return inputs
    return {name: value for name, value in inputs.items() if name in names}


def in_short(reply: Reply) -> str | None:
    """What an answer says in a word or a line; None where that cannot be said, such as of a picture."""
    if reply.answer is None or not reply.outputs:
        return None
    field = reply.outputs[0]
    value = reply.answer.get(field.name)
    if value is None:
        return None
    if field.kind == "label-probabilities":
        return str(max(value, key=value.__getitem__)) if value else None
    if field.kind in ("text", "choice"):
        return " ".join(str(value).split()) or None
    if field.kind == "number":
        return f"{value:.4g}"
    return value.as_text() if hasattr(value, "as_text") else None


def agreement(replies: Sequence[Reply]) -> dict[str, list[int]]:
    """What is said, and by which replies (their places), what most say first. Capitals make no difference."""
    said = {place: text for place, reply in enumerate(replies) if (text := in_short(reply)) is not None}
    counts = Counter(text.casefold() for text in said.values())
    found: dict[str, list[int]] = {}
    for folded, _ in counts.most_common():
        places = [place for place, text in said.items() if text.casefold() == folded]
        found[said[places[0]]] = places
    return found


def dissenting(replies: Sequence[Reply]) -> set[int]:
    """The places of the replies that do not say what most of them say; all of them where no answer has more than
    another."""
    groups = list(agreement(replies).values())
    if len(groups) < 2:
        return set()
    has_most = len(groups[0]) > len(groups[1])
    return {place for group in (groups[1:] if has_most else groups) for place in group}


def described(replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """Replies as mappings, their answers as they came."""
    different = dissenting(replies)
    return [
        {
            "model": reply.asked,
            "version": reply.reference,
            "answer": reply.answer,
            "error": reply.error or None,
            "says": in_short(reply),
            "differs": place in different,
            "seconds": reply.seconds,
            "num_timed": reply.num_timed,
            "num_parameters": reply.footprint.num_parameters if reply.footprint else None,
            "weights_bytes": reply.footprint.weights_bytes if reply.footprint else None,
            "where": reply.footprint.where if reply.footprint else None,
        }
        for place, reply in enumerate(replies)
    ]
