"""`layerwise train`: a command for each model, whose options are the fields of its config."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from layerwise.config import Setting, config_from, offered_settings
from layerwise.errors import InputError
from layerwise.fine_tuning import IN_USE, find_start, usual_config
from layerwise.hardware.slots import DEVICE_WORDS
from layerwise.versions import Reference, parse_reference
from layerwise_app.cli.follow import refuse_promoting_detached, see_off
from layerwise_app.cli.own_data import look_at

if TYPE_CHECKING:
    from layerwise.registry import Snapshot
    from layerwise.specs import ModelSpec

_KIND_WORDS = {int: "INTEGER", float: "NUMBER", str: "TEXT", tuple: "N,N,..."}


_SEVERAL_MACHINES = "Several machines"


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    models = typer.Typer(
        name="train",
        cls=ModelGroup,
        help="Train a model: layerwise train NAME[:VARIANT] [OPTIONS]. NAME --help lists its options.",
        no_args_is_help=True,
        subcommand_metavar="NAME[:VARIANT] [OPTIONS]",
    )
    app.add_typer(models)


class ModelGroup(TyperGroup):
    """The models as commands, made when one is asked for: loading plugins takes time, and their configs are what
    the options are made of."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the models."""
        return list(_snapshot().models)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command that trains one model.

        Raises:
            NotFoundError: There is no such model or variant.
        """
        reference = parse_reference(cmd_name)
        if reference.version is not None:
            raise InputError(
                "A version is trained already", received=cmd_name, remedy="name the model and the variant only"
            )
        spec = _snapshot().model(reference.name)
        return command_of(spec, spec.variant(reference.variant).name, cmd_name)


def _snapshot() -> Snapshot:
    from layerwise.registry import Registry

    return Registry().snapshot()


def command_of(spec: ModelSpec, variant: str, name: str) -> Any:
    """The command that trains a variant of a model: an option for each field of its config."""
    usual = spec.variant(variant).config
    settings = offered_settings(spec.config)

    def command(**values: Any) -> None:
        own = {option: values.pop(option) for option in _own_options()}
        chosen = {name: value for name, value in values.items() if value is not None}
        train(Reference(spec.name, variant), chosen, **own)

    # Typer makes options of the parameters that it finds in the signature.
    parameters = [*_own_parameters(), *(_parameter_of(item, getattr(usual, item.name)) for item in settings)]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = f"Train {spec.name}:{variant}. {spec.card.summary}"
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name)(command)
    return typer.main.get_command(app)


def _own_parameters() -> list[inspect.Parameter]:
    return [_keyword(name, annotation, default) for name, (annotation, default) in _own_options().items()]


def _own_options() -> dict[str, tuple[Any, Any]]:
    """The options that are no fields of a config: their annotation and their default."""
    return {
        "data": (
            Annotated[
                Path | None, typer.Option(help="Your own data: a folder, a zip archive or a table (layerwise check).")
            ],
            None,
        ),
        "start_from": (
            Annotated[
                str | None,
                typer.Option(
                    "--from",
                    metavar=f"{IN_USE}|VERSION",
                    help="Fine-tune: begin with the weights of this version (layerwise show lists them).",
                ),
            ],
            None,
        ),
        "device": (
            Annotated[
                str,
                typer.Option(metavar="|".join((*DEVICE_WORDS, "gpu:N")), help="Where to train; runs wait their turn."),
            ],
            "auto",
        ),
        "cluster": (
            Annotated[
                str | None,
                typer.Option(
                    metavar="ADDRESS|local",
                    help="Train on a Ray cluster, or start one on this machine.",
                    rich_help_panel=_SEVERAL_MACHINES,
                ),
            ],
            None,
        ),
        "workers": (
            Annotated[
                int | None,
                typer.Option(min=1, help="Processes that share the batches.", rich_help_panel=_SEVERAL_MACHINES),
            ],
            None,
        ),
        "promote": (Annotated[bool, typer.Option("--promote", help="Use the result when it has finished.")], False),
        "detach": (
            Annotated[bool, typer.Option("--detach", help="Return at once; `layerwise follow` shows it.")],
            False,
        ),
        "json": (Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")], False),
    }


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _parameter_of(item: Setting, usual: Any) -> inspect.Parameter:
    """One field as an option. Values stay texts, since the field itself knows best what is wrong with one."""
    from rich.markup import escape

    limits = f" ({item.range_text})" if item.range_text and not item.choices else ""
    flag, *_ = item.option(usual)
    kind: Any = str
    if item.kind is bool:
        kind, flag = bool, "/".join(item.option(True) + item.option(False))
    option = typer.Option(
        flag,
        metavar="|".join(item.choices) if item.choices else _KIND_WORDS.get(item.kind),
        help=escape(f"{item.meaning}{limits}, {item.option(usual)[-1]} by default."),
        show_default=False,  # Typer's own would be None, which stands for the variant's
        rich_help_panel="More settings" if item.advanced else "Settings",
    )
    return _keyword(item.name, Annotated[kind | None, option], None)


def train(
    reference: Reference,
    chosen: Mapping[str, Any],
    *,
    data: Path | None,
    start_from: str | None,
    device: str,
    cluster: str | None,
    workers: int | None,
    promote: bool,
    detach: bool,
    json: bool,
) -> None:
    """Start a run and show it to its end, or return at once.

    Args:
        chosen: The settings that differ from the usual ones.

    Raises:
        typer.Exit: With status 1 when the run failed, 130 when it was stopped.
    """
    from layerwise import jobs, open_workspace

    refuse_promoting_detached(promote, detach)
    with open_workspace() as workspace:
        spec = workspace.registry.snapshot().model(reference.name)
        start = find_start(workspace.versions, spec, reference.variant, start_from)
        usual = asdict(usual_config(spec.variant(reference.variant), start))
        task = spec.task_of(spec.variant(reference.variant))
        data = look_at(workspace, task, data, json=json) if data is not None else None
        run = jobs.start(
            workspace.runs,
            spec,
            variant=reference.variant,
            config=config_from(spec.config, usual | dict(chosen)),
            data=data,
            start_from=start,
            device=device,
            cluster=cluster,
            workers=workers,
        )
        see_off(workspace, run, promote=promote, detach=detach, json=json)
