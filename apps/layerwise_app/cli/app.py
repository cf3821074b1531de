"""The commands put together, and what happens to errors: a person reads one message, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from layerwise.errors import LayerwiseError
from layerwise_app.cli import (
    accounts,
    beside,
    check_plugin,
    compare,
    export,
    fetch,
    look,
    models,
    new_plugin,
    own_data,
    plugins,
    runs,
    train,
    tune,
    verify,
)

DEBUG = "LAYERWISE_DEBUG"
PLUGIN_HELP = "A plugin in a Python file, beside those that are installed. May be given several times."
UNEXPECTED = 70
"""The exit status of a mistake of ours (EX_SOFTWARE of BSD's sysexits)."""


class Commands(TyperGroup):
    """The built-in commands, and those of plugins as soon as one is wanted that is not built in, or the list of all:
    loading plugins takes time."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        self._add_foreign()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, None when there is none."""
        if cmd_name not in self.commands:
            self._add_foreign()
        return super().get_command(ctx, cmd_name)

    def _add_foreign(self) -> None:
        from layerwise.registry import Registry

        foreign = typer.Typer()
        Registry().snapshot().add_commands(foreign, taken=self.commands)
        self.commands.update(typer.main.get_group(foreign).commands)


def make_app() -> typer.Typer:
    """The command line without the commands that plugins add."""
    app = typer.Typer(
        name="layerwise",
        cls=Commands,
        help="A showcase of deep learning to open, look inside, retrain and extend. Alone it opens the page.",
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_alone)
    app.command()(serve)
    for module in (
        models,
        fetch,
        own_data,
        train,
        tune,
        runs,
        compare,
        beside,
        export,
        plugins,
        accounts,
        new_plugin,
        check_plugin,
        verify,
        look,
    ):
        module.add_to(app)
    return app


def _use_home(home: Path | None) -> None:
    if home is not None:
        os.environ["LAYERWISE_HOME"] = str(home.expanduser().absolute())


def _use_plugins(files: list[Path] | None) -> list[Path]:
    from layerwise.plugins import files as files_of_plugins

    files_of_plugins.use(files or ())
    return files or []


def _alone(
    context: typer.Context,
    # Eager: plugins, which may add the command that is wanted, are looked up with it.
    _home: Annotated[
        Path | None,
        typer.Option("--home", help="Folder of runs and settings (LAYERWISE_HOME).", callback=_use_home, is_eager=True),
    ] = None,
    _plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", metavar="FILE", help=PLUGIN_HELP, callback=_use_plugins, is_eager=True),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        import layerwise

        typer.echo(layerwise.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        serve()


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port; by default 7860, or the next free one.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer the models as tools of an MCP server too, at /mcp.")
    ] = False,
    log_format: Annotated[
        str | None, typer.Option(metavar="text|json", help="Log lines for a person or for a machine.")
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long requests have to finish when it ends.")
    ] = 20.0,
    drain: Annotated[
        float,
        typer.Option(min=0, metavar="SECONDS", help="How long it takes requests after SIGTERM, while not ready."),
    ] = 0.0,
    auth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Let in only those with an account in FILE; see layerwise accounts."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which a proxy's visitors ask. May be given several times."),
    ] = None,
    _plugins: Annotated[
        list[Path] | None, typer.Option("--plugin", metavar="FILE", help=PLUGIN_HELP, callback=_use_plugins)
    ] = None,
) -> None:
    """Start the showcase in the browser."""
    from layerwise_app.accounts import AccountFile
    from layerwise_app.web.lean import lean_imports

    with lean_imports():
        from layerwise_app.web.server import serve as serve_web

    serve_web(
        host=host,
        port=port if port is not None else _free_port(host, 7860),
        open_browser=browser,
        log_format=log_format,
        grace=grace,
        drain=drain,
        mcp=mcp,
        accounts=AccountFile(auth.expanduser()) if auth is not None else None,
        hosts=allow_host or (),
    )


def _free_port(host: str, first: int) -> int:
    """The first free port from `first` on; `first` when none of the next twenty is."""
    import socket

    for port in range(first, first + 20):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    return first


def main() -> None:
    """The console script `layerwise`."""
    try:
        make_app()()
    except LayerwiseError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader (`| head`) has enough. Python would complain once more while it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # the last place before a traceback would be printed
        if os.environ.get(DEBUG):
            raise
        _fail(f"Unexpected {type(error).__name__}: {error}. {_write_log()}", UNEXPECTED)


def _fail(message: str, status: int) -> None:
    typer.secho(message, fg="red", err=True)
    sys.exit(status)


def _write_log() -> str:
    from layerwise.paths import home

    path = home() / "logs" / f"{datetime.now():%Y%m%d-%H%M%S}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sys.argv}\n{traceback.format_exc()}", encoding="utf-8")
    except OSError:
        return f"Set {DEBUG}=1 to see where"
    return f"This is a mistake of ours; please report it with {path}"
