"""Commands about models: which there are, what one is, what it answers, how good it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.errors import InputError, LayerwiseError
from layerwise.tasks.fields import FILE_KINDS
from layerwise.tasks.metric_values import in_digits, interval_text
from layerwise_app.cli.answers import keep_files, print_answer
from layerwise_app.cli.output import Json, figures, print_json, print_pairs, print_table
from layerwise_app.values import plain
from layerwise_app.words import moment

if TYPE_CHECKING:
    from layerwise.specs import ModelSpec, PublishedWeights
    from layerwise.tasks.fields import Field
    from layerwise.versions import Version
    from layerwise.workspace import Workspace

NAME = Annotated[str, typer.Argument(help="domain/application[:variant][@version], as `layerwise models` lists them.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (models, show, predict, evaluate):
        app.command()(command)


def models(json: Json = False) -> None:
    """List the registered models."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        found = [_summary(workspace, spec) for spec in workspace.registry.snapshot().models.values()]
    if json:
        print_json(found)
        return
    # Variants below the name: in 80 columns three columns would leave what a model does no room.
    rows = [
        (f"{model['name']}\n  {', '.join(variant['name'] for variant in model['variants'])}", model["summary"])
        for model in found
    ]
    print_table(("model\n  variants", "what it does"), rows, empty="No model is registered.")


def _summary(workspace: Workspace, spec: ModelSpec) -> dict[str, Any]:
    variants = []
    for variant in spec.variants:
        version = _version_or_none(workspace, spec, variant.name)
        variants.append(
            {
                "name": variant.name,
                "summary": variant.summary,
                "version": version and version.id,
                "num_parameters": version and version.num_parameters,
                "measured": version and version.record.get("measured"),
                "command": version and version.record.get("command"),
                "published": _described(variant.published) if variant.published else None,
            }
        )
    return {
        "name": spec.name,
        "title": spec.card.title,
        "summary": spec.card.summary,
        "task": spec.task.type_name,
        "data": spec.data,
        "variants": variants,
    }


def _described(published: PublishedWeights) -> dict[str, Any]:
    return {"source": published.source, "bytes": published.size, "licence": published.licence}


def _version_or_none(workspace: Workspace, spec: ModelSpec, variant: str) -> Version | None:
    from layerwise.serving.in_use import find_version

    try:
        return find_version(workspace.versions, spec, variant, None)
    except LayerwiseError:
        return None


def show(name: NAME, json: Json = False) -> None:
    """Show a model: its card, its variants and versions, and its layers."""
    from layerwise import open_workspace
    from layerwise.versions import parse_reference

    reference = parse_reference(name)
    with open_workspace() as workspace:
        spec = workspace.registry.snapshot().model(reference.name)
        variant = spec.variant(reference.variant)
        summary = _summary(workspace, spec)
        versions = [
            {"id": version.id, "created": version.created, "metrics": version.metrics}
            for version in workspace.versions.list(spec, variant.name)
        ]
        layers = _layers(workspace, spec, variant.name)
    if json:
        print_json({**summary, "variant": variant.name, "versions": versions, "layers": layers})
        return
    card = spec.card
    pairs = [("model", spec.name), ("", card.title), ("", card.summary), ("how", card.description)]
    plugin = workspace.registry.snapshot().plugin_of(spec.name)
    pairs += [("failed", plugin.reason if plugin is not None else ""), ("limits", card.limits)]
    pairs += [("licence", card.licence), *(("source", source) for source in card.sources)]
    print_pairs(pair for pair in pairs if pair[1])
    print_table(
        ("variant", "version in use", "parameters", "measured", "what it is"),
        [
            (
                item["name"],
                item["version"] or _none_yet(spec, item),
                f"{item['num_parameters']:,}" if item["num_parameters"] else "",
                figures((item["measured"] or {}).get("metrics", {}), only=1),
                item["summary"],
            )
            for item in summary["variants"]
        ],
    )
    trained_by = [(item["name"], item["command"]) for item in summary["variants"] if item["command"]]
    if trained_by:
        print_table(("variant", "trained by"), trained_by)
    if layers:
        print_table(
            (f"layers of {variant.name}", "output shape", "parameters"),
            [(layer["name"], layer["shape"], f"{layer['num_parameters']:,}") for layer in layers],
        )
    print_table(
        (f"versions of {variant.name}", "made", "metrics"),
        [(version["id"], moment(version["created"]), figures(version["metrics"])) for version in versions],
        empty=f"No versions of {variant.name} yet.",
    )


def _none_yet(spec: ModelSpec, variant: dict[str, Any]) -> str:
    return f"none yet: layerwise fetch {spec.name}:{variant['name']}" if variant["published"] else "none yet"


def _layers(workspace: Workspace, spec: ModelSpec, variant: str) -> list[dict[str, Any]]:
    from layerwise.devices import quiet_import
    from layerwise.specs import KERAS, resolve

    if spec.framework != KERAS:
        return []
    quiet_import()
    version = _version_or_none(workspace, spec, variant)
    config, task = (version.config, version.task) if version else (spec.variant(variant).config, spec.task)
    network = resolve(spec.build)(config, task)
    return [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "shape": str(tuple(getattr(layer.output, "shape", ()))) if hasattr(layer, "output") else "",
            "num_parameters": int(layer.count_params()),
        }
        for layer in network.layers
    ]


def predict(
    name: NAME,
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Files or texts; name=value pairs for a table; - reads a line.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many labels to show.")] = 5,
    output: Annotated[
        Path | None, typer.Option(help="A folder in which the pictures and files of answers are kept.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask a model; several inputs give several answers. What is optional is given as name=value, for all of them."""
    from layerwise import open_workspace
    from layerwise.devices import quiet_import

    with open_workspace() as workspace:
        task = workspace.predictor.version(name).task
        asked = questions(task.inputs, inputs or [])
        quiet_import()
        answers = [{"input": shown, "answer": workspace.predictor.predict(name, question)} for shown, question in asked]
    kept = [keep_files(item["answer"], output, item["input"]) if output else [] for item in answers]
    if json:
        print_json(plain(answers))
        return
    for item, paths in zip(answers, kept, strict=True):
        typer.secho(item["input"], bold=True)
        print_answer(item["answer"], top)
        for path in paths:
            typer.echo(f"  kept: {path}")


def questions(fields: Sequence[Field], words: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The inputs that words on the command line stand for, each with what to call it: one for each word where the
    model takes one value, one for all words as name=value where it takes several or a table, or needs none.

    Args:
        fields: The inputs of the model.

    Raises:
        InputError: They cannot be read, or there is none.
    """
    words = [sys.stdin.readline().strip() if word == "-" else word for word in words]
    required = [field for field in fields if not field.optional]
    if not required and all(_is_option(word, fields) for word in words):
        return [(" ".join(words) or "with its defaults", _named(words, fields))]
    field = (required or list(fields))[0]
    optional = [item for item in fields if item.optional and item != field]
    given = [word for word in words if _is_option(word, optional)]
    more = _named(given, optional)
    words = [word for word in words if word not in given]
    if not words:
        raise InputError(f"{field.title} is missing", remedy="name one before the options")
    more = {name: item.value(more[name]) for item in optional if (name := item.name) in more}
    if field.kind == "table":
        return [(", ".join(words), {field.name: dict(_pair(word, field.columns) for word in words), **more})]
    if len(required) > 1:
        return [(" ".join(words), _named(words, fields) | more)]
    if field.kind == "files":
        return [(" ".join(words), {field.name: [path for word in words for path in _files(field, word)], **more})]
    return [(word, {field.name: _value(field, word), **more}) for word in words]


def _is_option(word: str, fields: Sequence[Field]) -> bool:
    return word.partition("=")[0] in [field.name for field in fields] and "=" in word and not Path(word).is_file()


def _pair(word: str, fields: Sequence[Field]) -> tuple[str, str]:
    name, sign, text = word.partition("=")
    names = [field.name for field in fields]
    if not sign or name not in names:
        raise InputError(f"{word!r} is no value of an input", expected=" ".join(f"{name}=VALUE" for name in names))
    return name, text


def _named(words: Sequence[str], fields: Sequence[Field]) -> dict[str, Any]:
    """What stands for inputs as name=value; several files are named one after the other, or as a folder of them."""
    known = {field.name: field for field in fields}
    found: dict[str, Any] = {}
    for name, text in (_pair(word, fields) for word in words):
        if known[name].kind == "files":
            found[name] = [*found.get(name, ()), *_files(known[name], text)]
        else:
            found[name] = _value(known[name], text)
    return found


def _files(field: Field, word: str) -> list[Path]:
    folder = Path(word).expanduser()
    if not folder.is_dir():
        return [_value(field, word)]
    # Hidden ones are what systems put beside files.
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _value(field: Field, word: str) -> Any:
    if field.kind not in FILE_KINDS:
        return word
    path = Path(word).expanduser()
    if not path.is_file():
        raise InputError(f"There is no file {word}", remedy=f"name a file: {field.title}")
    return path


def evaluate(
    name: NAME,
    split: Annotated[str, typer.Option(help="Which split to measure on.")] = "test",
    data: Annotated[Path | None, typer.Option(help="A folder of your own data instead.")] = None,
    json: Json = False,
) -> None:
    """Measure a model on examples that it was not trained on."""
    from layerwise import open_workspace
    from layerwise.devices import quiet_import
    from layerwise.evaluation import evaluate as measure

    quiet_import()
    with open_workspace() as workspace:
        if json:
            print_json(measure(workspace, name, split=split, data=data))
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("evaluating", total=None)
            result = measure(
                workspace,
                name,
                split=split,
                data=data,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    print_pairs(
        [
            ("model", f"{result['name']}:{result['variant']}@{result['version']}"),
            ("data", f"{result['dataset']} (source {result['source']}), {result['split']}, {result['count']} examples"),
        ]
    )
    print_table(
        ("metric", "value", "95 % interval"),
        [
            (metric, in_digits(value), interval_text(*result["interval"].get(metric, (None, None)), like=value))
            for metric, value in result["metrics"].items()
        ],
    )
