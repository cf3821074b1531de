"""What deep learning is, and why it works now."""

from __future__ import annotations

from dataclasses import dataclass

from layerwise import Experiment, Lesson, Settings, setting
from layerwise_learn.lessons.controls import seed

TEXT = r"""
How would you write down the rules by which you tell a cat from a dog? **Machine learning** turns the question around:
instead of rules, a computer is given **examples**, and finds the rules itself.

An **artificial neural network** is a function with very many adjustable numbers, built from simple units that are
loosely modelled on nerve cells. Each unit adds up what it receives, weighs it and passes it on. The units stand in
**layers**, and each layer works on the result of the layer before:

$$\text{output} = f_L( \dots f_2(f_1(\text{input})) \dots )$$

**Deep learning** is machine learning with networks of many layers. The layers are what makes it special: the first ones
find simple features, such as edges in a picture, later ones combine them to parts and things. Nobody tells the network
which features these should be. Training finds them by four steps, repeated very often: compute the output, measure how
wrong it is, find out which number is to blame how much, and change each number a little.

The ideas are old. Artificial neurons date from 1943, learning ones from 1958, backpropagation in networks from 1986. It
works now because three things came together:

- **Data.** The network that read digits in 1998 learned from 60,000 pictures. The one that began the present boom, in
  2012, had 1.2 million from the internet; language models read hundreds of billions of words.
- **Computation.** Graphics processors (GPUs) multiply large matrices, and that is nearly all that a network does.
- **Ideas.** Better activation functions, starting weights, optimizers and architectures made deep networks trainable.

| network | year | parameters | learned from |
|---|---|---|---|
| LeNet-5 (LeCun et al.) | 1998 | 60 thousand | 60 thousand pictures |
| AlexNet (Krizhevsky et al.) | 2012 | 60 million | 1.2 million pictures |
| GPT-3 (Brown et al.) | 2020 | 175 billion | 300 billion tokens |
"""


@dataclass(frozen=True, kw_only=True)
class IngredientSettings(Settings):
    num_examples: int = setting(60, "Data: examples to learn from", minimum=10, maximum=1000, unit="examples", log=True)
    num_epochs: int = setting(
        30, "Computation: passes over the examples", minimum=1, maximum=200, unit="epochs", log=True
    )
    hidden_layers: int = setting(1, "Ideas: hidden layers of 16 units; 0 is the network of 1958", minimum=0, maximum=3)
    seed: int = seed()


LESSON = Lesson(
    name="deep-learning",
    title="What deep learning is",
    chapter="The network",
    summary="Networks that learn from examples, and why they work now: data, computation and ideas.",
    text=TEXT,
    experiments=(
        Experiment(
            name="ingredients",
            title="Data, computation, ideas",
            text="A network learns to tell two spirals apart and is tested on 1,000 fresh points. Raise one of the "
            "three alone, then two, then all of them. Try another seed before you believe a result.",
            show="layerwise_learn.experiments.deep_learning:ingredients",
            settings=IngredientSettings,
            button="Train",
        ),
    ),
    page="playground",
    demos=("vision",),
)
