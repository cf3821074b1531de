"""`layerwise tune` and `layerwise studies`: the search for hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerwise.errors import InputError
from layerwise.versions import parse_reference
from layerwise_app.cli.follow import STATUS, stopping
from layerwise_app.cli.output import Json, print_json, print_table
from layerwise_app.cli.own_data import look_at

if TYPE_CHECKING:
    from layerwise.hyperparameters.search_space import Range
    from layerwise.hyperparameters.studies import Study
    from layerwise.specs import ModelSpec
    from layerwise.workspace import Workspace


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (tune, studies):
        app.command()(command)


def tune(
    name: Annotated[str | None, typer.Argument(help="The model: domain/application[:variant].")] = None,
    trials: Annotated[int, typer.Option(help="How many trials at most.")] = 20,
    fields: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Fields of the config to search, in their usual ranges.")
    ] = None,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="FIELD=LOW..HIGH", help="Another range, or values: optimizer=adam/sgd."),
    ] = None,
    algorithm: Annotated[str, typer.Option(help="bayesian, random or hyperband.")] = "bayesian",
    objective: Annotated[str, typer.Option(help="The metric that counts; less is better for losses and errors.")] = (
        "val_loss"
    ),
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each trial; by default the variant's. For hyperband the most.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Your own data, as for layerwise train.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, gpu, gpu:0 ... or all.")] = "auto",
    seed: Annotated[int, typer.Option(min=1, help="The same seed proposes the same.")] = 1,
    resume: Annotated[str | None, typer.Option(metavar="STUDY", help="Go on with a study that ended early.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; `layerwise studies` shows it.")] = False,
    json: Json = False,
) -> None:
    """Search for hyperparameters. Every trial is a run; Ctrl-C stops, and --resume goes on."""
    from layerwise import open_workspace
    from layerwise.hyperparameters import tuning

    if (name is None) == (resume is None):
        raise InputError("Name a model to search for, or a study to go on with: --resume STUDY")
    position = 0
    with open_workspace() as workspace:
        if resume is not None:
            study = workspace.studies.get(resume)
            # What happened before was shown then.
            _, position = study.event_log.read_from(0)
            spec = workspace.registry.snapshot().model(study.name)
            tuning.resume(study)
        else:
            reference = parse_reference(name or "")
            spec = workspace.registry.snapshot().model(reference.name)
            options = {"algorithm": algorithm, "objective": objective, "num_trials": trials, "num_epochs": epochs}
            task = spec.task_of(spec.variant(reference.variant))
            located = look_at(workspace, task, data, json=json) if data is not None else None
            options |= {"data": located, "device": device, "seed": seed}
            ranges = _ranges(spec, reference.variant, fields, range_ or [])
            study = tuning.start(workspace.studies, spec, reference.variant, ranges, **options)
        if detach:
            typer.echo(f"{study.id} goes on by itself: layerwise studies {study.id[-4:]} shows it.", err=json)
        else:
            _show_to_its_end(study, position, quiet=json)
        if json:
            print_json(study.report(spec))
        elif not detach:
            _print_report(study, spec)
        if not detach:
            raise typer.Exit(STATUS.get(study.state, 1))


def _ranges(spec: ModelSpec, variant: str | None, fields: str | None, texts: list[str]) -> list[Range]:
    """The usual ranges of the fields that are named, and those that are given."""
    from layerwise.hyperparameters.search_space import parse_ranges, usual_ranges

    config = spec.variant(variant).config
    given = {item.name: item for item in parse_ranges(config, texts)}
    if fields is None and not given:
        return list(usual_ranges(config))
    names = [name.strip().replace("-", "_") for name in (fields or "").split(",") if name.strip()]
    # A range that is given needs no usual one, which there may not be.
    return [*usual_ranges(config, [name for name in names if name not in given]), *given.values()]


def _show_to_its_end(study: Study, position: int, *, quiet: bool) -> None:
    """Say what a study does, from that position of its events to its end. The first Ctrl-C asks it to stop."""
    from layerwise import jobs

    if not quiet:
        ranges = ", ".join(f"{item.name} {item}" for item in study.ranges)
        typer.echo(f"{study.id}: {study.name}:{study.variant}, {study.algorithm}, {study.objective}, {ranges}")
    try:
        with stopping(study):
            for event in jobs.follow(study, position=position):
                if not quiet:
                    _show(study, event)
    except KeyboardInterrupt:
        typer.echo(f"It goes on by itself: layerwise studies {study.id[-4:]} shows it.", err=True)
        raise


def _show(study: Study, event: dict[str, Any]) -> None:
    if event["event"] == "trial":
        values = ", ".join(f"{name} {value}" for name, value in event["values"].items())
        typer.echo(f"trial {int(event['trial']) + 1}: {values} (run {event['run'][-4:]})")
    elif event["event"] == "scored":
        reached = "failed" if event["score"] is None else f"{study.objective} {event['score']:.5g}"
        typer.echo(f"  {reached}")
    elif event["event"] in STATUS:
        typer.echo(f"{event['event'].capitalize()}. {event.get('reason', '')}".strip())


def studies(
    study: Annotated[str | None, typer.Argument(help="The id of a study, or its beginning or end: show it.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; its current run keeps what there is.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it. Its runs stay.")] = False,
    json: Json = False,
) -> None:
    """List the searches for hyperparameters, or show one with its trials, the best first."""
    from layerwise import jobs, open_workspace

    with open_workspace() as workspace:
        if study is None:
            _print_list(workspace, json=json)
            return
        found = workspace.studies.get(study)
        if stop:
            jobs.stop(found)
            typer.echo(f"{found.id} stops with its current run.", err=json)
        elif delete:
            workspace.studies.delete(found.id)
            typer.echo(f"{found.id} is deleted.", err=json)
        else:
            spec = workspace.registry.snapshot().model(found.name)
            if json:
                print_json(found.report(spec))
            else:
                _print_report(found, spec)


def _print_list(workspace: Workspace, *, json: bool) -> None:
    rows = []
    for study in workspace.studies.list():
        ranked = study.ranked()
        best = ranked[0].score if ranked else None
        rows.append(
            {
                "study": study.id,
                "model": f"{study.name}:{study.variant}",
                "state": study.state,
                "trials": f"{len(ranked)} of {study.num_trials}",
                "objective": study.objective,
                "best": best,
            }
        )
    if json:
        print_json(rows)
        return
    columns = ("study", "model", "state", "trials", "objective", "best")
    print_table(
        columns,
        [[_cell(row[name]) for name in columns] for row in rows],
        empty="No study yet: layerwise tune NAME starts one.",
    )


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else value


def _print_report(study: Study, spec: ModelSpec) -> None:
    report = study.report(spec)
    names = [item.name for item in study.ranges]
    typer.secho(f"{study.id}: {study.state} {study.reason}".strip(), bold=True)
    print_table(
        ("run", study.objective, *names, "state"),
        [
            (
                trial["run"][-4:],
                _cell(trial["score"]),
                *(_cell(trial["values"][name]) for name in names),
                trial["state"],
            )
            for trial in report["trials"]
        ],
        empty="No trial yet.",
    )
    if report["best"]:
        typer.echo(f"To train with the best: {report['command']}")
        typer.echo(f"To use the best trial itself: layerwise promote {report['best'][-4:]}")
    if study.is_resumable:
        typer.echo(f"To go on: layerwise tune --resume {study.id[-4:]}")
