"""Commands about training runs and the versions that they made."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from layerwise.events import metrics_of
from layerwise.versions import parse_reference
from layerwise_app.cli.follow import show_to_its_end
from layerwise_app.cli.output import Json, figures, print_json, print_table

RUN = Annotated[str, typer.Argument(help="The id of the run, or its beginning or end.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (runs, follow, stop, promote, rollback, delete):
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
            _summary(run, workspace.versions.is_promoted(run))
            for run in workspace.runs.list()
            if wanted is None or (run.name == wanted.name and wanted.variant in (None, run.variant))
        ]
    if json:
        print_json(found)
        return
    rows = [
        (
            run["id"],
            run["state"] + (", in use" if run["promoted"] else ""),
            f"{run['epochs']} of {run['num_epochs']}",
            figures(run["metrics"]) or run["reason"],
        )
        for run in found
    ]
    print_table(("run", "state", "epochs", "result"), rows, empty="No run yet: layerwise train NAME starts one.")


def _summary(run: Any, promoted: bool) -> dict[str, Any]:
    history = run.history()
    return {
        "id": run.id,
        "name": run.name,
        "variant": run.variant,
        "created": run.created,
        "state": run.state,
        "reason": run.reason,
        "epochs": len(history),
        "num_epochs": run.config.get("num_epochs"),
        "metrics": metrics_of(history[-1]) if history else {},
        "data": run.data,
        "folder": str(run.folder),
        "promoted": promoted,
    }


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


def delete(run: RUN, yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False) -> None:
    """Delete a run that has ended, with its version."""
    from layerwise import open_workspace

    with open_workspace() as workspace:
        found = workspace.runs.get(run)
        if not yes:
            typer.confirm(f"Delete {found.id} with its weights and its log?", abort=True)
        workspace.runs.delete(found.id)
    typer.echo(f"{found.id} is deleted.")
