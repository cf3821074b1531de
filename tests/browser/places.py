"""Every page in every state that somebody meets it in: empty, answered, with an error, with its parts opened. What
checks or photographs all pages goes through these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from browser.conftest import Visitor

LONG_MESSAGE = "What does a bias do, and why do networks have so many of them? " * 3
SEEN = "locator => [...document.querySelectorAll(locator)].filter(one => one.checkVisibility())"


@dataclass(frozen=True)
class Place:
    """A page in a state.

    Args:
        name: What it is called in reports and as a file.
        path: Where the page is.
        reach: What somebody does there, until what is meant is seen.
        tab: The tab that the path opens.
    """

    name: str
    path: str
    reach: Callable[[Visitor], None] = lambda _: None
    tab: str = ""

    def open(self, visitor: Visitor) -> None:
        """Bring somebody there."""
        visitor.open(self.path)
        if self.tab:
            visitor.page.get_by_role("tab", name=self.tab, exact=True, selected=True).wait_for()
        settled(visitor)
        self.reach(visitor)


def settled(visitor: Visitor) -> None:
    """Wait until a page has said what it has to say: nothing on it is busy any more."""
    visitor.page.wait_for_timeout(700)
    visitor.page.wait_for_function(
        f"!({SEEN})('.lw-status, .lw-pulse, [aria-busy=true], .eta-bar, .wrap.translucent, .lw-thinking').length"
    )


def example(visitor: Visitor) -> None:
    """Ask about the first example, until the answer is there."""
    visitor.page.get_by_role("list", name="Examples").get_by_role("button").locator("visible=true").first.click()
    answered(visitor)


def answered(visitor: Visitor) -> None:
    """Wait for an answer or for what is wrong."""
    visitor.page.wait_for_function(
        f"({SEEN})('.lw-outputs :is(img, li, td, .lw-plots svg, audio, canvas, .lw-note, a[download])').length || "
        f"({SEEN})('.lw-outputs textarea').some(one => one.value)"
    )
    settled(visitor)


def nothing(visitor: Visitor) -> None:
    """Ask without an input, which is an error."""
    visitor.button("Ask the network").click()
    answered(visitor)


def inside(visitor: Visitor) -> None:
    """Look inside at an example."""
    example(visitor)
    visitor.button("Look inside").click()
    panel = visitor.page.locator(".lw-inside").locator("visible=true")
    panel.get_by_role("button", name="Activations", exact=True).click()
    panel.locator("[data-part=shown] .lw-plots").first.wait_for()
    settled(visitor)


def details(visitor: Visitor) -> None:
    """Open how it works and how to call it."""
    for name in ("How it works, and how well", "Use it from your own code"):
        visitor.page.get_by_role("button", name=name).locator("visible=true").click()
    visitor.page.get_by_text("Licence of the weights:").locator("visible=true").wait_for()
    visitor.page.get_by_text("curl").locator("visible=true").first.wait_for()


def watched(visitor: Visitor) -> None:
    """Watch an agent for a moment."""
    visitor.button("Watch it play").click()
    visitor.page.wait_for_function("document.querySelector('.lw-arena').dataset.frames > 5")
    visitor.button("Pause").click()


def moved(visitor: Visitor) -> None:
    """Make the first move on a board, against the weakest agent."""
    game = visitor.page.locator(".lw-game")
    game.get_by_text("Black to play.").wait_for()
    game.get_by_label("Strength").select_option("1")
    game.get_by_label("E5", exact=True).click()
    visitor.page.wait_for_function("/^Moves: E5 [A-J]/.test(document.querySelector('[data-part=moves]').textContent)")


def talked(visitor: Visitor, message: str = LONG_MESSAGE) -> None:
    """Say something, and wait for the reply."""
    box = visitor.page.get_by_role("textbox", name="Message").locator("visible=true")
    box.fill(message)
    box.press("Enter")
    visitor.page.locator(".lw-conversation .bot.message:visible").first.wait_for()
    visitor.button("Send").wait_for()
    settled(visitor)


def compared(visitor: Visitor) -> None:
    """Choose two runs to compare."""
    for index in range(2):
        visitor.page.get_by_label("Runs").click()
        visitor.page.get_by_role("listbox").get_by_role("option").nth(index).click()
    visitor.page.keyboard.press("Escape")
    visitor.page.locator("#curves figure").nth(1).wait_for()


def side_by_side(visitor: Visitor) -> None:
    """Ask two networks the same."""
    visitor.page.get_by_role("list", name="Examples").get_by_role("button").locator("visible=true").first.click()
    visitor.page.locator("#replies dl").nth(1).wait_for()


def own_data(visitor: Visitor) -> None:
    """Open the part for data of one's own, with a folder that is not there."""
    visitor.page.get_by_text("Train it on your own data").click()
    box = visitor.page.get_by_label("Data", exact=True)
    box.fill("/nowhere/at/all")
    box.press("Enter")
    visitor.page.get_by_text("There is no such folder").locator("visible=true").first.wait_for()


def run_seen(visitor: Visitor) -> None:
    """The newest run with its curves, and what its process printed."""
    visitor.follow(visitor.page.locator("#runs tbody a").first)
    visitor.page.locator("#metric figure").wait_for()
    visitor.page.get_by_role("button", name="What its process printed").click()
    visitor.page.locator(".cm-line").locator("visible=true").first.wait_for()
    settled(visitor)


def card_turned(visitor: Visitor) -> None:
    """See the answer of a flashcard."""
    visitor.page.get_by_role("button", name="Show the answer").click()


def quiz_begun(visitor: Visitor) -> None:
    """Answer the first question."""
    visitor.button("Start").click()
    visitor.page.locator(".lw-options button").first.click()


def question_asked(visitor: Visitor) -> None:
    """Ask the lessons in one's own words."""
    visitor.page.get_by_label("Ask in your own words").fill("What is overfitting?")
    visitor.page.get_by_role("region", name="Answers").get_by_role("link").first.wait_for()


def not_found(visitor: Visitor) -> None:
    """Search for a model that is not there."""
    visitor.page.get_by_label("Search the models").fill("zebra")
    visitor.page.get_by_text("No model found.").wait_for()


def plugin_opened(visitor: Visitor) -> None:
    """See why a plugin failed."""
    for button in visitor.page.get_by_role("button", name="What went wrong, for its author").all():
        button.click()


PLACES = (
    Place("home", ""),
    Place("home-nothing-found", "", not_found),
    Place("tours", "tours"),
    Place("learn", "learn", question_asked),
    Place("lesson", "learn?lesson=neuron"),
    Place("flashcards", "flashcards", card_turned),
    Place("quiz", "quiz"),
    Place("quiz-begun", "quiz", quiz_begun),
    Place("playground", "playground"),
    Place("microscope", "microscope"),
    Place("depth-lab", "depth-lab"),
    Place("garments", "vision?model=fashion", inside, tab="Garments"),
    Place("garments-details", "vision?model=fashion", details, tab="Garments"),
    Place("garments-nothing", "vision?model=fashion", nothing, tab="Garments"),
    Place("objects", "vision?model=objects", example, tab="Animals and vehicles"),
    Place("faces", "vision?model=faces", example, tab="Faces"),
    Place("nuclei", "vision?model=segmentation", example, tab="Nuclei of cells"),
    Place("scene", "vision?model=garments", example, tab="Garments in a scene"),
    Place("sentiment", "language?model=sentiment", example, tab="Sentiment"),
    Place("translation", "language?model=translation", example, tab="Translation"),
    Place("tutor", "language?model=tutor", talked, tab="Tutor"),
    Place("chat", "language?model=chat", talked, tab="Chat"),
    Place("writer", "language?model=writer", example, tab="Writer"),
    Place("pretrained", "pretrained"),
    Place("speech", "speech?model=digits-and-words", example, tab="Digits and words"),
    Place("whisper", "speech?model=whisper", tab="Dictation"),
    Place("cartpole", "rl?model=cartpole", watched, tab="Cart and pole"),
    Place("pong", "rl?model=pong", tab="Pong"),
    Place("go", "rl?model=go", moved, tab="Go"),
    Place("solubility", "science?model=solubility", example, tab="Solubility in water"),
    Place("toxicity", "science?model=toxicity", example, tab="Toxicity in twelve assays"),
    Place("protein", "science?model=protein-structure", example, tab="Protein structure"),
    Place("promoters", "science?model=promoters", example, tab="Promoters of a bacterium"),
    Place("folding", "folding"),
    Place("toy-untrained", "toy", lambda visitor: visitor.page.get_by_label("deep").check()),
    Place("train", "train?model=toy/bars", own_data),
    Place("run", "train", run_seen),
    Place("compare", "compare"),
    Place("compared", "compare", compared),
    Place("beside-nothing", "beside"),
    Place("beside", "beside?models=vision/fashion:conv,vision/fashion:dense", side_by_side),
    Place("board", "board"),
    Place("tune", "tune?model=toy/bars"),
    Place("models", "models"),
    Place("model", "models?model=vision/fashion:conv"),
    Place("figures", "figures"),
    Place("plugins", "plugins", plugin_opened),
)
