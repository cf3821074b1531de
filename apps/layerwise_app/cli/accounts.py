"""`layerwise accounts`: who may sign in to a server, with which role, and the tokens of their programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerwise.errors import InputError
from layerwise_app.cli.output import Json, print_json, print_table

if TYPE_CHECKING:
    from layerwise_app.accounts import AccountFile

Name = Annotated[str, typer.Argument(help="Of the account.")]
File = Annotated[Path | None, typer.Option("--file", help="The file of the accounts; by default that of the home.")]
RoleWord = Annotated[str, typer.Option("--role", help="viewer tries, editor also trains, admin also manages plugins.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the input.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Who may sign in to a server: names, passwords, roles, and tokens for programs.")
    group.command("list")(listed)
    group.command("class")(whole_class)
    for command in (add, password, role, remove, token, revoke):
        group.command()(command)
    app.add_typer(group, name="accounts")


def listed(file: File = None, json: Json = False) -> None:
    """List the accounts with their roles and tokens."""
    accounts = _accounts(file)
    names = accounts.names() if accounts.path.exists() else {}
    if json:
        print_json([{"name": name, "role": own.word, "tokens": accounts.tokens(name)} for name, own in names.items()])
        return
    rows = [
        (name, own.word, ", ".join(f"{key} ({found['role']})" for key, found in accounts.tokens(name).items()))
        for name, own in names.items()
    ]
    print_table(("name", "role", "tokens"), rows, empty="No account yet: layerwise accounts add NAME --role admin")


def add(name: Name, role: RoleWord = "viewer", file: File = None, password_stdin: FromInput = False) -> None:
    """Make an account. The password is asked for."""
    from layerwise_app.accounts import MAY, plain_name, role_of

    accounts, wanted, plain = _accounts(file), role_of(role), plain_name(name)
    if accounts.path.exists() and plain in accounts.names():
        raise InputError(f"There is an account {plain} already", remedy=f"layerwise accounts password {plain}")
    accounts.add(name, _password(password_stdin), wanted)
    typer.echo(f"{plain} is an account with the role {wanted.word}: {MAY[wanted]}.")
    typer.echo(f"layerwise serve --auth {accounts.path} lets in those with an account.")


def whole_class(
    names: Annotated[Path, typer.Argument(help='A text file with a name on each line; "-" reads the input.')],
    role: RoleWord = "editor",
    file: File = None,
    json: Json = False,
) -> None:
    """Make an account for everyone in a class, with a password each, which is printed this once.

    Who has an account already keeps it as it is, so a list that has grown can be given again.
    """
    from layerwise_app.accounts import made_password, plain_name, role_of

    accounts, wanted = _accounts(file), role_of(role)
    known = accounts.names() if accounts.path.exists() else {}
    asked = [plain_name(".".join(line.split())) for line in _lines(names) if line.strip()]
    if not asked:
        raise InputError(f"There is no name in {names}", expected="a name on each line")
    if twice := next((name for name in asked if asked.count(name) > 1), None):
        raise InputError(f"{twice} is there twice in {names}", remedy="tell them apart: anna.m and anna.s")
    made = {name: made_password() for name in asked if name not in known}
    accounts.add_many(made, wanted)
    if json:
        print_json([{"name": name, "password": password} for name, password in made.items()])
        return
    print_table(("name", "password"), list(made.items()), empty="Everyone in the list has an account already.")
    kept = len(asked) - len(made)
    said = f"{len(made)} account{'s' * (len(made) != 1)} with the role {wanted.word}, {kept} left as they were."
    typer.echo(f"{said} The passwords are not kept: print or write them down now.")
    typer.echo(f"layerwise serve --auth {accounts.path} lets in those with an account.")


def password(name: Name, file: File = None, password_stdin: FromInput = False) -> None:
    """Give an account another password. Whoever is signed in with the former one is signed out."""
    accounts = _accounts(file)
    accounts.tokens(name)  # says so before anybody types, if there is no such account
    accounts.set_password(name, _password(password_stdin))
    typer.echo(f"{name} has another password.")


def role(name: Name, role: Annotated[str, typer.Argument(help="viewer, editor or admin.")], file: File = None) -> None:
    """Give an account another role."""
    from layerwise_app.accounts import MAY, role_of

    wanted = role_of(role)
    _accounts(file).set_role(name, wanted)
    typer.echo(f"{name} has the role {wanted.word}: {MAY[wanted]}.")


def remove(name: Name, file: File = None) -> None:
    """Remove an account with its tokens."""
    _accounts(file).remove(name)
    typer.echo(f"{name} cannot sign in any more.")


def token(
    name: Name,
    role: Annotated[str | None, typer.Option("--role", help="What it allows, if less than the account may.")] = None,
    file: File = None,
) -> None:
    """Make a token for a program: it sends "Authorization: Bearer TOKEN". It is printed this once."""
    from layerwise_app.accounts import role_of

    typer.echo(_accounts(file).add_token(name, role_of(role) if role else None))


def revoke(
    name: Name, identifier: Annotated[str, typer.Argument(help="The token's id, as list says it.")], file: File = None
) -> None:
    """Make a token worthless."""
    _accounts(file).remove_token(name, identifier)
    typer.echo(f"The token {identifier} is worthless now.")


def _accounts(file: Path | None) -> AccountFile:
    from layerwise_app.accounts import AccountFile

    return AccountFile(file.expanduser() if file is not None else None)


def _lines(path: Path) -> list[str]:
    """The lines of a text file, or of the input.

    Raises:
        InputError: It cannot be read as a text.
    """
    if str(path) == "-":
        return sys.stdin.read().splitlines()
    try:
        return path.expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read", expected="a text file in UTF-8", received=str(error)) from None


def _password(from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
