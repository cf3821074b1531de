"""`layerwise accounts`: who may sign in, kept where nobody else reads it."""

import io
import json
import multiprocessing
import stat

import pytest

from layerwise.errors import AccessError, InputError
from layerwise_app.accounts import AccountFile, Role

PASSWORD = "correct horse"


@pytest.fixture
def typed(monkeypatch):
    """`typed("secret")`: what the next command reads as its input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


@pytest.mark.slow
def test_an_account_is_made_listed_changed_and_removed(layerwise, home, typed):
    assert layerwise("accounts", "list").output.startswith("No account yet")
    typed(PASSWORD)
    made = layerwise("accounts", "add", "Anna", "--role", "editor", "--password-stdin")
    assert made.status == 0, made.error
    file = home / "accounts.json"
    assert f"layerwise serve --auth {file}" in made.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    stored = json.loads(file.read_text())["accounts"]["anna"]
    assert stored["password"].startswith("$argon2id$")
    assert PASSWORD not in file.read_text()
    assert layerwise("accounts", "role", "anna", "viewer").status == 0
    token = layerwise("accounts", "token", "anna").output.strip()
    assert AccountFile(file).of_token(token).role is Role.VIEWER
    [listed] = layerwise("accounts", "list", "--json").json
    assert (listed["name"], listed["role"], len(listed["tokens"])) == ("anna", "viewer", 1)
    assert layerwise("accounts", "revoke", "anna", next(iter(listed["tokens"]))).status == 0
    assert AccountFile(file).of_token(token) is None
    typed("another horse")
    assert layerwise("accounts", "password", "anna", "--password-stdin").status == 0
    assert AccountFile(file).check("anna", PASSWORD) is None
    assert AccountFile(file).check("ANNA", "another horse").name == "anna"
    assert layerwise("accounts", "remove", "anna").status == 0
    assert AccountFile(file).names() == {}


def test_a_class_gets_accounts_at_once(layerwise, home, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Anna Müller\n\nBen\n", encoding="utf-8-sig")
    made = layerwise("accounts", "class", str(names), "--json")
    assert made.status == 0, made.error
    passwords = {item["name"]: item["password"] for item in made.json}
    assert list(passwords) == ["anna.müller", "ben"]
    assert len(set(passwords.values())) == 2
    accounts = AccountFile(home / "accounts.json")
    assert accounts.names() == {"anna.müller": Role.EDITOR, "ben": Role.EDITOR}
    assert accounts.check("Anna.Müller", passwords["anna.müller"]).role is Role.EDITOR
    names.write_text("Ben\nCleo\n")
    grown = layerwise("accounts", "class", str(names), "--role", "viewer")
    assert "1 account with the role viewer, 1 left as they were." in grown.output
    assert accounts.check("ben", passwords["ben"]).role is Role.EDITOR, "who has an account keeps it"
    names.write_text("Dora\na/b\n")
    assert "The name cannot be used" in layerwise("accounts", "class", str(names)).error
    assert "dora" not in accounts.names(), "all of them or none"
    names.write_text("Emil\nEMIL\n")
    assert "emil is there twice" in layerwise("accounts", "class", str(names)).error
    names.write_text("\n")
    assert "There is no name in" in layerwise("accounts", "class", str(names)).error
    assert "cannot be read. Expected: a text file" in layerwise("accounts", "class", str(tmp_path)).error


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("add", "a b"), PASSWORD, "The name cannot be used"),
        (("add", "anna", "--role", "king"), PASSWORD, "Expected: viewer, editor, admin. Received: 'king'"),
        (("add", "anna"), "short", "8 to 1000 characters"),
        (("remove", "nobody"), "", "There is no account 'nobody'"),
    ],
)
def test_mistakes_are_said(layerwise, home, typed, arguments, password, said):
    typed(password)
    extra = ("--password-stdin",) if arguments[0] == "add" else ()
    done = layerwise("accounts", *arguments, *extra)
    assert done.status == 1
    assert said in done.error


def test_serve_says_what_is_missing(layerwise, home):
    missing = layerwise("serve", "--auth", str(home / "none.json"), "--no-browser")
    assert missing.status == 1
    assert "layerwise accounts add NAME --role admin" in missing.error


def test_a_file_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    file = AccountFile(tmp_path / "accounts.json")
    file.add("anna", PASSWORD, Role.ADMIN)
    file.path.chmod(0o644)
    with pytest.raises(AccessError, match="chmod 600"):
        AccountFile(file.path).names()
    for text in (
        "",
        "[]",
        '{"format": 2, "accounts": {}}',
        '{"format": 1, "accounts": {"a": {"role": "god"}}}',
        "[" * 99_999,
    ):
        file.path.chmod(0o600)
        file.path.write_text(text)
        with pytest.raises(AccessError, match="cannot be read"):
            AccountFile(file.path).names()


def test_names_are_the_same_however_they_are_typed(tmp_path):
    file = AccountFile(tmp_path / "accounts.json")
    file.add("Jürgen", "pass\u0065\u0301word", Role.VIEWER)
    assert file.check(" JÜRGEN", "pass\u00e9word").name == "jürgen"
    with pytest.raises(InputError, match="already"):
        file.add("JÜRGEN", PASSWORD, Role.VIEWER)
    assert file.check("../etc", PASSWORD) is None
    assert file.check("jürgen", "x" * 10_000) is None


def _add(path, name):
    AccountFile(path).add(name, PASSWORD, Role.VIEWER)


def test_accounts_that_are_made_at_the_same_time_are_all_there(tmp_path):
    path = tmp_path / "accounts.json"
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(_add, [(path, f"name{number}") for number in range(6)])
    assert len(AccountFile(path).names()) == 6


def test_the_warning_fits_who_can_reach_the_server(tmp_path):
    from layerwise_app.web.listening import is_loopback, warning_of

    accounts = AccountFile(tmp_path / "accounts.json")
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "", "192.168.1.5", "example.org")] == [False] * 5
    assert warning_of("127.0.0.1", None) == ""
    assert "Everybody who reaches this machine may use, train and change everything" in warning_of("0.0.0.0", None)
    assert "proxy with TLS" in warning_of("0.0.0.0", accounts)
