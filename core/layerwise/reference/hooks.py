"""docs/hooks.md, written from the code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import layerwise
from layerwise import deprecations, hookspecs
from layerwise.plugins.implementations import HOOKS
from layerwise.reference.docstrings import Docstring

HEAD = """\
# The hooks

Written by `python -m layerwise.reference docs` from the code. A plugin is a module, named by an entry point of the
group `layerwise.plugins`, or a file, with functions that are named like the hooks below and marked with `@hookimpl`. It
implements those that it needs. The built-in plugins use the same hooks. [Writing a plugin](writing-a-plugin.md) begins
with a whole one; here is each hook by itself. Every example below runs, and together they are one plugin.
"""
LOADING = """\
Those that are called when plugins are loaded are called once at each start, and again when a plugin is switched on or
off while the showcase runs. They only describe: import Keras, NumPy and whatever else is heavy in the functions that
use it. Each returns a list (or anything that can be iterated), empty when there is nothing to register. Names are
unique, whoever registers them. What happens to a plugin that fails is in
[When a plugin breaks](plugin-faults.md).
"""
VERSION = """\
## The version of the hooks

A plugin may state the version of the hooks that it was written for, which is now {version}:

```python
LAYERWISE_HOOKS = {version}
```

It grows by one when a hook is added or changes its meaning. A plugin that states a version that this release does not
serve is refused by a sentence that names the release to use, instead of failing somewhere later: the one that its
package asks for (`dependencies = ["layerwise>=..."]`), or the last one that served an older version.
"""
POLICY = """\
## Names that go

Public are the names of {public}. Everything else may change. A public name, a hook or an argument that
is to go is first deprecated. It then

- works as before, under its former name: an implementation of a renamed hook is called, a former name leads to its
  replacement, a former argument is taken;
- warns once for each module that uses it, by a `DeprecationWarning` that names the replacement. Python shows it in
  tests, not to the users of a plugin. `layerwise plugins`, the page Plugins and `layerwise check-plugin` show it to the
  author;
- stays for at least {releases} minor releases after the one that deprecates it, or until the next major one: what 0.2
  deprecates, 0.{after} may be without.

An older version of the hooks is served as long. A plugin that is for older releases too implements both names of a
renamed hook; only the new one is then called.
"""
OBJECTS = ("ModelSpec", "ModelCard", "Variant", "PublishedWeights", "Example", "DatasetSpec", "Source", "File")
OBJECTS += ("Page", "Lesson", "Experiment", "Card", "Question", "QuestionMaker", "Tour", "Stage")


def hooks_document() -> str:
    """All hooks, and what they return, as Markdown."""
    parts = [HEAD, *_table(), LOADING]
    for hook in HOOKS:
        parts += _section(hook)
    parts += [VERSION.format(version=hookspecs.HOOKSPEC_VERSION)]
    parts += [_policy(), *_deprecated()]
    parts += ["## What they return\n", "All are frozen, take their arguments by name, and are checked on creation.\n"]
    for name in OBJECTS:
        parts += _object(name)
    return "\n".join(parts)


def signature(hook: str) -> str:
    """A hook with its arguments: "layerwise_callbacks(run)"."""
    return f"{hook}({', '.join(HOOKS[hook])})"


def _table() -> Iterator[str]:
    yield "| hook | called | to |"
    yield "| --- | --- | --- |"
    for hook in HOOKS:
        to, called, _ = _paragraphs(hook)
        name = signature(hook)
        place = "".join(letter for letter in name if letter.isalnum() or letter in "_- ").replace(" ", "-")
        yield f"| [`{name}`](#{place}) | {called.removeprefix('Called ').rstrip('.')} | {_lower(to)} |"
    yield ""


def _paragraphs(hook: str) -> tuple[str, str, str]:
    """What a plugin does by a hook, when it is called, and the rest."""
    to, called, text = Docstring.of(getattr(hookspecs, hook)).text.split("\n\n", 2)
    return to, called, text


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].rstrip(".")


def _section(hook: str) -> Iterator[str]:
    _, called, text = _paragraphs(hook)
    yield f"## `{signature(hook)}`\n"
    yield f"{_filled(f'{called} {text}')}\n"
    yield f"```python\n{Docstring.of(getattr(hookspecs, hook)).example}\n```\n"


def _policy() -> str:
    *modules, last = (f"`{module}`" for module in deprecations.PUBLIC)
    text = POLICY.format(
        public=f"{', '.join(modules)} and {last}",
        releases=deprecations.RELEASES,
        after=2 + deprecations.RELEASES + 1,
    )
    head, first, rest = text.split("\n\n", 2)
    return "\n\n".join((head, _filled(first), rest))


def _filled(paragraph: str) -> str:
    return textwrap.fill(" ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False)


def _deprecated() -> Iterator[str]:
    if not deprecations.DEPRECATED:
        yield "Nothing is deprecated now.\n"
        return
    yield "| deprecated now | since | gone in | use |"
    yield "| --- | --- | --- | --- |"
    for entry in deprecations.DEPRECATED:
        use = f"`{entry.replacement}`" if entry.replacement else ""
        yield f"| `{entry.name}` | {entry.since} | {entry.gone_in} | {use} |"
    yield ""


def _object(name: str) -> Iterator[str]:
    described = Docstring.of(getattr(layerwise, name))
    yield f"### {name}\n"
    yield f"{described.text}\n"
    if described.arguments:
        yield "\n".join(f"- `{argument}`: {meaning}" for argument, meaning in described.arguments) + "\n"
