"""The tour of ten minutes: from one neuron to a network of one's own, across the plugins."""

from __future__ import annotations

from layerwise import Stage, Tour

TOURS: tuple[Tour, ...] = (
    Tour(
        name="ten-minutes",
        title="The tour",
        summary="From one neuron to a network that you have trained on pictures of your own.",
        stages=(
            Stage(
                title="One neuron",
                text="Everything here is made of this: numbers times weights, added up. Drag a slider and follow the "
                "sum; then find the weights that make the line below part the points.",
                lesson="neuron",
            ),
            Stage(
                title="Many neurons learn",
                text="Press Play and watch a network bend its border until it parts two spirals. Start again with a "
                "layer less: can it still?",
                page="playground",
            ),
            Stage(
                title="One step of learning",
                text="What happened there thousands of times, once and slowly: forward, loss, backward, update. The "
                "arrow keys go from number to number.",
                page="microscope",
            ),
            Stage(
                title="It reads a drawing",
                text="Draw a shoe, a shirt or a bag and let the network name it. Below the answer, Look inside opens "
                "the network and shows what each layer made of your lines.",
                minutes=1.5,
                model="vision/fashion",
            ),
            Stage(
                title="What layers look for",
                text="Nobody told the network what an edge or a wheel is. Early channels answer to strokes, deep ones "
                "to things: see what each of them looks for.",
                lesson="hierarchical-features",
            ),
            Stage(
                title="It hears you",
                text="Say a few digits or commands, such as “three seven stop”, or take an example. The words are "
                "placed in time below the sound.",
                minutes=0.5,
                model="speech/digits-and-words",
            ),
            Stage(
                title="It plays against you",
                text="A board of 9 by 9 points: click where you play. It has learned from games of another program, "
                "then from its own; ask it what it would play in your place.",
                model="rl/go",
            ),
            Stage(
                title="It helps in science",
                text="How well does a molecule dissolve? Take an example: the answer comes with an interval, and each "
                "atom is coloured by what it adds.",
                minutes=0.5,
                model="science/solubility",
            ),
            Stage(
                title="Ask the tutor",
                text="Something was unclear? Ask in your own words. It finds the flashcard that answers, and says so "
                "when there is none.",
                minutes=0.5,
                model="language/tutor",
            ),
            Stage(
                title="Your own network",
                text="Now train one: as it stands, or on a folder of your own pictures for each label. Start it and "
                "watch the loss fall; when it is done, put it in use, and the demo answers with it.",
                minutes=2,
                train="vision/fashion",
            ),
        ),
    ),
)
