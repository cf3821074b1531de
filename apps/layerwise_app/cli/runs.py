"""Commands about training runs and the versions that they made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from layerwise.job_folders.outline import outline
from layerwise.versions import parse_reference
from layerwise_app.cli.follow import refuse_promoting_detached, see_off, show_to_its_end
from layerwise_app.cli.output import Json, figures, print_json, print_table
from layerwise_app.words import ago

RUN = Annotated[str, typer.Argument(help="The id of the run, or its beginning or end.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (runs, follow, stop, resume, promote, rollback, delete):
        app.command()(command)


def runs(
    name: Annotated[str | None, typer.Argument(help="Only those of this model, name[:variant].")] = None,
    json: Json = False,
) -> None:
    """List the training runs, the newest first."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        wanted = parse_reference(name) if name else None
        found = [
            {**outline(run), "is_promoted": workspace.versions.is_promoted(run)}
            for run in workspace.runs.list()
            if wanted is None or (run.name == wanted.name and wanted.variant in (None, run.variant))
        ]
    if json:
        print_json(found)
        return
    rows = [
        (
            run["id"],
            run["state"] + (", in use" if run["is_promoted"] else ""),
            run["device"],
            f"{run['epochs']} of {run['num_epochs']}",
            "; ".join(filter(None, (figures(run["metrics"]), run["reason"], _checkpoint(run)))),
        )
        for run in found
    ]
    columns = ("run", "state", "device", "epochs", "result")
    print_table(columns, rows, empty="No run yet: layerwise train NAME starts one.")


def _checkpoint(run: dict[str, Any]) -> str:
    """What a run that is not finished would go on from."""
    if not run["checkpoint"] or run["state"] == "finished":
        return ""
    age = datetime.now(UTC) - datetime.fromisoformat(run["checkpoint"])
    return f"checkpoint {ago(age.total_seconds())}"


def follow(run: RUN, json: Json = False) -> None:
    """Show a run while it goes on. Ctrl-C stops looking, not the run."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        raise typer.Exit(show_to_its_end(workspace.runs.get(run), json=json, stop_on_interrupt=False))


def stop(run: RUN) -> None:
    """Stop a run after its current step; what there is is kept."""
    from layerwise import jobs, open_workspace

    with open_workspace() as workspace:
        found = workspace.runs.get(run)
        jobs.stop(found)
    typer.echo(f"{found.id} stops after its current step.")


def resume(
    run: RUN,
    detach: Annotated[bool, typer.Option("--detach", help="Return at once; `layerwise follow` shows it.")] = False,
    promote: Annotated[bool, typer.Option("--promote", help="Use the result when it has finished.")] = False,
    json: Json = False,
) -> None:
    """Let a run that was stopped or failed go on from its last checkpoint."""
    from layerwise import jobs, open_workspace

    refuse_promoting_detached(promote, detach)
    with open_workspace() as workspace:
        found = workspace.runs.get(run)
        jobs.resume(found)
        see_off(workspace, found, promote=promote, detach=detach, json=json)


def promote(run: RUN) -> None:
    """Put the version that a run made in use."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        found = workspace.runs.get(run)
        version = workspace.versions.promote(workspace.registry.snapshot().model(found.name), found)
    typer.echo(f"In use now: {version.reference}")


def rollback(name: Annotated[str, typer.Argument(help="The model: domain/application[:variant].")]) -> None:
    """Put the version in use that was in use before the last promotion."""
    from layerwise import open_workspace

    reference = parse_reference(name)
    with open_workspace() as workspace:
        spec = workspace.registry.snapshot().model(reference.name)
        version = workspace.versions.rollback(spec, reference.variant)
    typer.echo(f"In use again: {version.reference}")


def delete(
    runs: Annotated[list[str], typer.Argument(help="The ids of the runs, or their beginnings or ends.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
) -> None:
    """Delete runs that have ended, with their versions."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        # All are looked up before any is deleted.
        found = list(dict.fromkeys(workspace.runs.get(run).id for run in runs))
        if not yes:
            what = found[0] if len(found) == 1 else f"{len(found)} runs ({', '.join(found)})"
            typer.confirm(f"Delete {what} with weights and log?", abort=True)
        for identifier in found:
            workspace.runs.delete(identifier)
            typer.echo(f"{identifier} is deleted.")
