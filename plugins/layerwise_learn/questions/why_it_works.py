"""Questions of the chapter "Why it works"."""

from __future__ import annotations

from layerwise import Question

QUESTIONS = (
    Question(
        name="where-edges-are-found",
        text="In a trained convolutional network, where would you look for units that react to edges?",
        choices=("In the output layer", "In the deepest layers", "In the first layers", "In no layer at all"),
        answer=2,
        explanation="Edges are simple and can be seen in a few pixels, which is all that an early unit sees. Deeper "
        "units combine them into parts and objects.",
        lesson="hierarchical-features",
    ),
    Question(
        name="receptive-field-by-hand",
        text=r"Two $5 \times 5$ convolutions follow each other, without stride or pooling. How wide is the part of the "
        r"input that a unit of the second sees?",
        choices=("9 pixels", "10 pixels", "5 pixels", "25 pixels"),
        answer=0,
        explanation="The first sees 5, and the second adds 2 on each side: 9. They overlap, so the widths do not "
        "simply add up to 10.",
        lesson="hierarchical-features",
    ),
    Question(
        name="convolution-parameters-by-hand",
        text=r"A convolution has 16 filters of $5 \times 5$ over a colour picture (3 channels), each with a bias. How "
        r"many parameters has it?",
        choices=("416", "1 216", "1 200", "It depends on the picture"),
        answer=1,
        explanation=r"$5 \cdot 5 \cdot 3 \cdot 16 + 16 = 1\,216$. 416 forgets the channels, 1 200 the biases. The "
        r"picture's size does not matter, as every place uses the same weights.",
        lesson="hierarchical-features",
    ),
    Question(
        name="size-after-pooling",
        text=r"A map of $28 \times 28$ is pooled by $2 \times 2$ twice. What is its size then?",
        choices=(r"$14 \times 14$", r"$24 \times 24$", r"$26 \times 26$", r"$7 \times 7$"),
        answer=3,
        explanation=r"Each pooling halves both sides: $28 \to 14 \to 7$. $24$ would come out if 2 were subtracted each "
        r"time instead.",
        lesson="hierarchical-features",
    ),
    Question(
        name="two-hundred-pictures",
        text="You have 200 pictures of your own of 5 kinds of leaves. What promises most?",
        choices=(
            "Training a deep network on them from scratch",
            "A trained network with a new last layer",
            "A single neuron on all the raw pixels",
            "Waiting until there are a million pictures",
        ),
        answer=1,
        explanation="Transfer learning: edges, textures and shapes are known already, and only the last layer has to "
        "be learned. From scratch a deep network would learn the 200 by heart.",
        lesson="hierarchical-features",
    ),
    Question(
        name="which-filter",
        text="A filter was slid over the left picture and gave the right one, where orange is positive, blue negative "
        "and no colour 0. Which filter was it?",
        choices=(
            "The brightness to the right minus that to the left",
            "The brightness below minus the brightness above",
            "The mean of the brightness all around a pixel",
            "The largest brightness in the neighbourhood",
        ),
        answer=0,
        explanation="It answers at the left and the right edge of the square, with opposite signs, and nowhere along "
        "the upper and the lower edge. A mean or a maximum would light up inside, too.",
        lesson="hierarchical-features",
        plots="layerwise_learn.questions.figures:filtered_square",
    ),
    Question(
        name="what-saliency-shows",
        text="A saliency map lights up on the grass behind a cow. What does that tell you?",
        choices=(
            "The picture shows no cow but grass",
            "The answer *cow* must be wrong",
            "The map was computed for the wrong picture",
            "The answer also depends on the grass",
        ),
        answer=3,
        explanation="Saliency is the gradient of the answer for the pixels: what it is sensitive to. The answer may "
        "be right, yet for a poor reason, and fail for a cow on a beach.",
        lesson="hierarchical-features",
    ),
    Question(
        name="what-end-to-end-means",
        text="Which system is learned **end to end**?",
        choices=(
            "Edges by hand, then a network for the shapes",
            "Three networks, trained one after the other",
            "One network from the pixels to the steering",
            "Rules by hand, their limits tuned by search",
        ),
        answer=2,
        explanation="One loss at the end trains every part from the raw input on. Three networks in a row are learned, "
        "too, but each for a task of its own that somebody chose.",
        lesson="end-to-end",
    ),
    Question(
        name="when-hand-made-wins",
        text="When are hand-made features with a simple model most likely better than a deep network?",
        choices=(
            "With few examples and much knowledge of the subject",
            "With many examples and little knowledge of the subject",
            "With raw pictures and very many different classes",
            "With a fast GPU and a great deal of memory",
        ),
        answer=0,
        explanation="Knowledge stands in for examples. With many examples a network finds features that nobody would "
        "have thought of, and raw pictures are just where designing them is hardest.",
        lesson="end-to-end",
    ),
    Question(
        name="what-ctc-solves",
        text="A data set has recordings and their texts, but not which sound is at which time. What does CTC do about "
        "it?",
        choices=(
            "It asks a person to mark the letters in time",
            "It adds up the probability of every alignment",
            "It cuts the sound into equally long letters",
            "It trains only on recordings of single letters",
        ),
        answer=1,
        explanation="Every way to place the letters in time, with repeats and blanks, counts. So no one has to mark "
        "them, and letters may be short or long, which equal cuts would not allow.",
        lesson="end-to-end",
    ),
    Question(
        name="price-of-end-to-end",
        text="What is harder with an end-to-end network than with a chain of hand-made steps?",
        choices=(
            "Computing the gradient of all its parts",
            "Using very large amounts of examples",
            "Letting early parts serve the final goal",
            "Finding out which part made a mistake",
        ),
        answer=3,
        explanation="What happens in between has no agreed meaning, so it cannot be checked step by step. The other "
        "three are what end-to-end learning is good at.",
        lesson="end-to-end",
    ),
    Question(
        name="what-the-theorem-says",
        text="What does the universal approximation theorem promise for one hidden layer?",
        choices=(
            "Training always finds the best weights",
            "A few neurons are enough for any task",
            "Wide enough, it can come arbitrarily close",
            "It generalises as well as a deep network",
        ),
        answer=2,
        explanation="Suitable weights *exist* for any continuous function on a bounded region. It may need enormously "
        "many neurons, and nothing is said of finding the weights or of new examples.",
        lesson="depth",
    ),
    Question(
        name="how-many-tents",
        text="A tent function, made of two ReLU neurons, was applied again and again to its own result. How many times "
        "was it applied in all?",
        choices=("2 times", "3 times", "4 times", "8 times"),
        answer=1,
        explanation=r"Each application doubles the teeth: 1, 2, 4. With $k$ layers there are $2^{k-1}$, which is how "
        r"depth makes many pieces of few neurons.",
        lesson="depth",
        plots="layerwise_learn.questions.figures:tents",
    ),
    Question(
        name="teeth-of-five-layers",
        text="Each layer of a network computes a tent function of the one before. How many teeth does the result have "
        "after 5 layers?",
        choices=("5", "10", "25", "16"),
        answer=3,
        explanation=r"The first gives one tooth, each further layer doubles them: $2^4 = 16$. With width instead of "
        r"depth they would only add up.",
        lesson="depth",
    ),
    Question(
        name="residual-slope",
        text=r"A block computes $y = x + f(x)$, and somewhere $f'(x) = 0.1$. Which factor does the block give to the "
        r"gradient that passes back through it?",
        choices=("$1.1$", "$0.1$", "$0.9$", "$1.0$"),
        answer=0,
        explanation=r"$dy/dx = 1 + f'(x) = 1.1$. Without the connection it would be $0.1$, and after ten such blocks "
        r"$10^{-10}$.",
        lesson="depth",
    ),
    Question(
        name="deeper-yet-worse",
        text="A plain network of 56 layers has a higher *training* error than one of 20. What is the reason?",
        choices=(
            "It overfits, since it has more weights",
            "It cannot express what the smaller one can",
            "It is harder to train, so it ends up worse",
            "It has seen fewer examples than the other",
        ),
        answer=2,
        explanation="It could copy the 20 layers and let the others pass their input on, but gradient descent does not "
        "find that. Overfitting would lower the training error. Residual connections solved it (He et al. 2016).",
        lesson="depth",
    ),
    Question(
        name="fair-comparison",
        text="You want to know whether depth helps. What do you compare with a network of 2 layers of 100 neurons?",
        choices=(
            "8 layers of 100 neurons, same seed",
            "8 layers, as many parameters, several seeds",
            "8 layers of 400 neurons, several seeds",
            "8 layers, as many parameters, the best seed",
        ),
        answer=1,
        explanation="With 8 layers of 100 more parameters could be the reason. And one seed, above all the best one, "
        "may be luck: the difference must be larger than the spread between seeds.",
        lesson="depth",
    ),
)
