"""The pages of the gate: signing in, and why somebody may not. They are whole without Gradio."""

from __future__ import annotations

import html
from pathlib import Path

from layerwise.errors import LayerwiseError
from layerwise_app.web.languages import head_script
from layerwise_app.web.theme import INK, TEAL

_STYLE = Path(__file__).with_name("documents.css").read_text(encoding="utf-8")
_COLOURS = {"teal": TEAL, "ink": INK}


def _colours() -> str:
    """The colours of the theme as variables."""
    shades = ("c50", "c100", "c200", "c300", "c400", "c500", "c600", "c700", "c800", "c900", "c950")
    return "".join(
        f"--{name}-{shade[1:]}:{getattr(colour, shade)};" for name, colour in _COLOURS.items() for shade in shades
    )


def _document(title: str, body: str, base: str = "./") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{head_script()}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<base href="{base}">
<title>{html.escape(title)} - Layerwise</title>
<link rel="icon" href="./favicon.ico">
<style>:root {{{_colours()}}}
{_STYLE}</style>
</head>
<body>
<main>
<a class="brand" href="./"><span class="mark" aria-hidden="true"><i></i><i></i><i></i></span>Layerwise</a>
{body}
</main>
</body>
</html>
"""


def sign_in_page(target: str, said: str = "", name: str = "") -> str:
    """The form for signing in.

    Args:
        target: Where to go afterwards, relative to the form.
        said: What went wrong before.
        name: What was typed as the name.
    """
    note = f'<p class="note" role="alert" id="said">{html.escape(said)}</p>' if said else ""
    described = ' aria-describedby="said" aria-invalid="true"' if said else ""
    first, second = ("", " autofocus") if name else (" autofocus", "")
    body = f"""<h1>Sign in</h1>
{note}
<form method="post" action="./login">
<label>Name<input name="username" value="{html.escape(name[:80])}" autocomplete="username" autocapitalize="none"
  spellcheck="false" required{first}{described}></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required{second}{described}>
</label>
<input type="hidden" name="next" value="{html.escape(target)}">
<button>Sign in</button>
</form>
<p class="hint">No account, or the password forgotten? Whoever runs this server makes them.</p>"""
    return _document("Sign in", body)


def refusal_page(error: LayerwiseError, base: str = "./") -> str:
    """Why somebody may not, and where to go.

    Args:
        base: The first page, relative to this one.
    """
    said = "".join(
        f"<p>{html.escape(text)}</p>"
        for text in (
            f"You are signed in as {error.received}." if error.received and ", " in error.received else "",
            f"{error.remedy[0].upper()}{error.remedy[1:]}." if error.remedy else "",
        )
        if text
    )
    body = f"""<h1>{html.escape(error.what)}</h1>
{said}
<p class="ways"><a class="button" href="./">Home</a><a href="./login?again=1">Sign in with another account</a></p>"""
    return _document(error.what, body, base)
