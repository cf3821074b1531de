"""Cards of the chapter "The network"."""

from __future__ import annotations

from layerwise import Card

CARDS = (
    Card(
        name="deep-learning",
        front="What is **deep learning**?",
        back="Machine learning with neural networks of many layers. Each layer computes its features from those of the "
        "layer before, and all of them are learned from data together.",
        lesson="deep-learning",
    ),
    Card(
        name="artificial-neural-network",
        front="What is an **artificial neural network**?",
        back="A function made of many simple units, the neurons, connected by weights. Training sets the weights so "
        "that its outputs fit the examples.",
        lesson="deep-learning",
    ),
    Card(
        name="supervised-learning",
        front="What does **supervised learning** learn from?",
        back="From pairs: an input, and the answer that belongs to it, the target or label. The network learns to give "
        "the answer for inputs that it has not seen.",
        lesson="deep-learning",
    ),
    Card(
        name="parameters-and-hyperparameters",
        front="What tells a **parameter** from a **hyperparameter**?",
        back="Parameters, the weights and biases, are set by training. Hyperparameters, such as the learning rate or "
        "the number of layers, are chosen before it by a person or a search.",
        lesson="deep-learning",
    ),
    Card(
        name="why-now",
        front="Neural networks are decades old. Which three things made deep learning work after about 2010?",
        back="Large data sets, fast parallel hardware (GPUs), and better ideas for training deep networks, such as "
        "ReLU, careful initialisation, normalisation and residual connections.",
        lesson="deep-learning",
    ),
    Card(
        name="data-set-splits",
        front="Into which three parts is a **data set** split, and what is each for?",
        back="*Training*: the weights are fitted to it. *Validation*: settings are chosen by it, and overfitting is "
        "seen on it. *Test*: looked at once, at the end, to say how good the model is.",
        lesson="deep-learning",
    ),
    Card(
        name="artificial-neuron",
        front="What does an **artificial neuron** compute?",
        back=r"A weighted sum of its inputs plus a bias, and then an activation function of that: "
        r"$a = f\left(\sum_i w_i x_i + b\right)$.",
        lesson="neuron",
    ),
    Card(
        name="weight",
        front="What does a **weight** say?",
        back="How strongly, and in which direction, an input moves the neuron's weighted sum: when the input grows by "
        "1, the sum grows by the weight.",
        lesson="neuron",
    ),
    Card(
        name="bias",
        front="What is the **bias** of a neuron for?",
        back=r"It is added to the weighted sum and so shifts the point at which the neuron becomes active. Without it "
        r"the sum is 0 whenever all inputs are 0.",
        lesson="neuron",
    ),
    Card(
        name="neuron-boundary",
        front="Which shape has the boundary between the two answers of a single neuron with two inputs?",
        back=r"A straight line: the points where $w_1 x_1 + w_2 x_2 + b = 0$. With more inputs it is a plane, or a "
        r"hyperplane.",
        lesson="neuron",
    ),
    Card(
        name="xor",
        front="Why can a single neuron not compute **XOR** (exactly one of two inputs is on)?",
        back="No straight line has $(0, 1)$ and $(1, 0)$ on one side and $(0, 0)$ and $(1, 1)$ on the other. A hidden "
        "layer of two neurons is enough.",
        lesson="neuron",
    ),
    Card(
        name="layers",
        front="Which three kinds of **layers** does a simple network have?",
        back="The *input* layer holds the data, *hidden* layers compute features from them, the *output* layer gives "
        "the answer. Only hidden and output layers have weights.",
        lesson="architecture",
    ),
    Card(
        name="fully-connected",
        front="What does **fully connected** (or *dense*) mean?",
        back="Every neuron of the layer gets the output of every neuron of the layer before, each by a weight of its "
        "own.",
        lesson="architecture",
    ),
    Card(
        name="dense-parameters",
        front=r"How many parameters has a dense layer with $n$ inputs and $m$ neurons?",
        back=r"$n \cdot m$ weights and $m$ biases, so $(n + 1)\,m$. From 784 to 512: $785 \cdot 512 = 401\,920$.",
        lesson="architecture",
    ),
    Card(
        name="depth-and-width",
        front="What are the **depth** and the **width** of a network?",
        back="Depth is how many layers with weights follow each other. Width is how many neurons a layer has.",
        lesson="architecture",
    ),
    Card(
        name="architecture",
        front="What belongs to the **architecture** of a network, and what does not?",
        back="The kinds of layers, their sizes and how they are connected belong to it. The values of the weights do "
        "not: they are learned within it.",
        lesson="architecture",
    ),
    Card(
        name="output-layer",
        front="Which output layer suits a choice among $k$ classes, and which one a number such as a price?",
        back=r"For classes $k$ neurons with softmax, which give probabilities. For a number one neuron without an "
        r"activation, so that any value can come out.",
        lesson="architecture",
    ),
    Card(
        name="activation-function",
        front="Why do networks need **activation functions**?",
        back=r"They bend. Without them layers are linear, and linear layers in a row collapse into one: "
        r"$W_2(W_1 x) = (W_2 W_1)x$. No depth would help.",
        lesson="activations",
    ),
    Card(
        name="relu",
        front="What is **ReLU**, and what is its derivative?",
        back=r"$\max(0, x)$: negative sums become 0, positive ones pass. Its derivative is 0 for $x < 0$ and 1 for "
        r"$x > 0$, so gradients pass unchanged where it is active.",
        lesson="activations",
    ),
    Card(
        name="dead-relu",
        front="What is a **dead ReLU**?",
        back="A neuron whose weighted sum is negative for every example. Its output and its gradient are 0, so its "
        "weights no longer change.",
        lesson="activations",
    ),
    Card(
        name="leaky-relu-and-elu",
        front="How do **leaky ReLU** and **ELU** differ from ReLU?",
        back=r"They do not end at 0 on the negative side: leaky ReLU keeps a small slope, such as $0.2x$, and ELU "
        r"curves smoothly towards $-1$ as $e^x - 1$. So the gradient does not vanish at once.",
        lesson="activations",
    ),
    Card(
        name="selu",
        front="What is special about **SELU**?",
        back="It is a scaled ELU whose two constants are chosen so that the outputs of a dense layer tend towards mean "
        "0 and variance 1, layer after layer, given LeCun initialisation.",
        lesson="activations",
    ),
    Card(
        name="sigmoid",
        front="What does the **sigmoid** do, and how large is its derivative at most?",
        back=r"$\sigma(x) = 1 / (1 + e^{-x})$ squeezes any number into $(0, 1)$. Its derivative $\sigma(1 - \sigma)$ "
        r"is at most $0.25$, at $x = 0$.",
        lesson="activations",
    ),
    Card(
        name="tanh",
        front="How does **tanh** differ from the sigmoid?",
        back=r"It gives values from $-1$ to $1$ around 0, and its derivative $1 - \tanh^2 x$ reaches 1 at $x = 0$. "
        r"It is a stretched sigmoid: $\tanh x = 2\sigma(2x) - 1$.",
        lesson="activations",
    ),
    Card(
        name="gelu-and-silu",
        front="What are **GELU** and **SiLU** (also called swish)?",
        back=r"Smooth relatives of ReLU: $x\,\Phi(x)$, with the distribution function of the normal distribution, and "
        r"$x\,\sigma(x)$. Both dip slightly below 0. Transformers mostly use them.",
        lesson="activations",
    ),
    Card(
        name="softmax",
        front="What does **softmax** do?",
        back=r"It turns any $k$ numbers into probabilities: $p_i = e^{z_i} / \sum_j e^{z_j}$. All are positive, "
        r"together they are 1, and the largest stays the largest.",
        lesson="activations",
    ),
    Card(
        name="saturation",
        front="When is an activation **saturated**, and why is that bad in training?",
        back="Where it is nearly flat, as the sigmoid is far from 0. Its derivative is nearly 0 there, so hardly any "
        "gradient reaches the weights before it.",
        lesson="activations",
    ),
)
