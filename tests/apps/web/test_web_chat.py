"""What is said in a conversation, as Markdown that shows it."""

import pytest

from layerwise_app.web.chat import as_markdown, as_text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words", "plain words"),
        ("a < b", "a &lt; b"),
        ("**x** $y$ `z`", r"\*\*x\*\* &#36;y&#36; \`z\`"),
        ("  two\n\tone", "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}two\n\N{NO-BREAK SPACE}one"),
    ],
)
def test_nothing_that_a_visitor_wrote_is_markup(said, shown):
    assert as_text(said) == shown


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("**bold** and $x^2$", "**bold** and $x^2$"),
        ("<b>1</b> ![p](http://a/b.png)", r"&lt;b>1&lt;/b> !\[p](http://a/b.png)"),
        ("Use `a < b`, not <b>.", "Use `a < b`, not &lt;b>."),
        ("```\nif a < b:\n```\n<i>", "```\nif a < b:\n```\n&lt;i>"),
        ("``` never closed <b>", "``` never closed <b>"),
    ],
)
def test_a_reply_has_markdown_but_no_tags(reply, shown):
    assert as_markdown(reply) == shown
