"""Questions of the chapter "The network"."""

from __future__ import annotations

from layerwise import Question

QUESTIONS = (
    Question(
        name="what-makes-it-deep",
        text="What makes a network *deep*?",
        choices=(
            "Many neurons side by side in a layer",
            "Many layers that follow each other",
            "Many examples that it is trained on",
            "Many passes over the training data",
        ),
        answer=1,
        explanation="Depth counts layers with weights, one after the other. Many neurons side by side make a network "
        "*wide*; data and epochs say how it was trained, not what it is.",
        lesson="deep-learning",
    ),
    Question(
        name="who-chooses-the-features",
        text="A deep network tells cats from dogs. Who decided which features of the pictures it looks at?",
        choices=(
            "Whoever labelled the pictures, by saying what to look for",
            "Whoever wrote the program, by designing filters for ears",
            "The activation functions, which are chosen for pictures",
            "The training, by lowering the loss on the examples",
        ),
        answer=3,
        explanation="That the features are learned is the point of deep learning. The labels only say *cat* or *dog*, "
        "never why, and nobody writes the filters.",
        lesson="deep-learning",
    ),
    Question(
        name="which-is-a-hyperparameter",
        text="Which of these is a **hyperparameter**?",
        choices=(
            "The number of hidden layers",
            "The biases of the first layer",
            "The weights of the last layer",
            "The gradient of the loss",
        ),
        answer=0,
        explanation="It is chosen before the training. Weights and biases are parameters, which the training sets, and "
        "the gradient is computed anew in each step.",
        lesson="deep-learning",
    ),
    Question(
        name="why-not-earlier",
        text="Backpropagation was known in the 1980s. Why did deep learning only take over after about 2010?",
        choices=(
            "The chain rule had not been proved for many layers",
            "Networks of one hidden layer were good enough",
            "Data and parallel computation had been lacking",
            "Computers could not store weights below zero",
        ),
        answer=2,
        explanation="Deep networks need many examples and very many operations, which large data sets and GPUs "
        "brought; better activations and initialisation came with them. The mathematics had been there all along.",
        lesson="deep-learning",
    ),
    Question(
        name="which-split-chooses",
        text="You train with 50 settings and want to keep the best. Which data should decide?",
        choices=("The training set", "The validation set", "The test set", "All three together"),
        answer=1,
        explanation="It was not trained on, and may be looked at often. The test set is tempting, but the best of 50 "
        "on it would partly be luck, and nothing would be left to measure honestly.",
        lesson="deep-learning",
    ),
    Question(
        name="neuron-by-hand",
        text=r"A neuron has the weights $0.5$ and $1$, the bias $0.5$ and ReLU. What does it give for the inputs $2$ "
        r"and $-1$?",
        choices=("$0$", "$2.5$", "$0.5$", "$1.5$"),
        answer=2,
        explanation=r"$0.5 \cdot 2 + 1 \cdot (-1) + 0.5 = 0.5$, which is positive and passes ReLU. Without the bias it "
        r"would be $0$; without the minus sign $2.5$.",
        lesson="neuron",
    ),
    Question(
        name="bias-moves-the-line",
        text="Only the bias of a neuron with two inputs is changed. What happens to the line that is its boundary?",
        choices=(
            "It moves parallel to itself",
            "It turns around the origin",
            "It bends into a curve",
            "It stays in place",
        ),
        answer=0,
        explanation=r"In $w_1 x_1 + w_2 x_2 + b = 0$ the weights give the direction and the bias the distance from the "
        r"origin. To turn the line one has to change the weights.",
        lesson="neuron",
    ),
    Question(
        name="weight-of-zero",
        text="After training, the weight of one input of a neuron is exactly 0. What does that mean?",
        choices=(
            "The neuron gives 0 for every input",
            "The input was 0 in all the examples",
            "The neuron has stopped to learn at all",
            "The input does not change this neuron",
        ),
        answer=3,
        explanation=r"Its part of the sum is $0 \cdot x = 0$, whatever $x$ is. The other inputs and the bias still "
        r"count, so the neuron need not give 0.",
        lesson="neuron",
    ),
    Question(
        name="one-neuron-xor",
        text="Which of these can a single neuron with a threshold **not** compute from two inputs that are 0 or 1?",
        choices=("Both are 1 (and)", "At least one is 1 (or)", "Exactly one is 1 (xor)", "Neither is 1 (nor)"),
        answer=2,
        explanation="For *and*, *or* and *nor* one straight line parts the four points as needed. For *xor* the two "
        "points with the answer yes lie across from each other, and no line has both on one side alone.",
        lesson="neuron",
    ),
    Question(
        name="count-parameters",
        text="A network has 10 inputs, a dense hidden layer of 5 and a dense output layer of 2 neurons. How many "
        "parameters are there?",
        choices=("60", "67", "17", "72"),
        answer=1,
        explanation=r"$(10 \cdot 5 + 5) + (5 \cdot 2 + 2) = 55 + 12 = 67$. With 60 the biases are forgotten; 17 counts "
        r"neurons.",
        lesson="architecture",
    ),
    Question(
        name="count-weights-in-the-picture",
        text="How many **weights** (without biases) does this network have?",
        choices=("9", "24", "14", "20"),
        answer=3,
        explanation=r"One for each line: $3 \cdot 4 + 4 \cdot 2 = 20$. 9 is the number of circles, and multiplying all "
        r"three sizes gives the 24 paths from an input to an output.",
        lesson="architecture",
        plots="layerwise_learn.questions.figures:network_to_count",
    ),
    Question(
        name="fully-connected-means",
        text="What does *fully connected* say about a layer?",
        choices=(
            "Each neuron gets all outputs of the layer before",
            "Each neuron is connected to all others in its layer",
            "Each neuron is connected to all later layers",
            "Each neuron has the same weights as the others",
        ),
        answer=0,
        explanation="The connections run from one layer to the next, all to all. Within a layer there are none, and "
        "every connection has a weight of its own.",
        lesson="architecture",
    ),
    Question(
        name="output-for-three-classes",
        text="Each picture shows exactly one of three kinds of animals. Which output layer fits best?",
        choices=(
            "One neuron with ReLU",
            "One neuron with sigmoid",
            "Three neurons with softmax",
            "Three neurons with tanh",
        ),
        answer=2,
        explanation="Softmax gives one probability for each kind, together 1. A single neuron would put the kinds in "
        "an order that they do not have, and tanh gives no probabilities.",
        lesson="architecture",
    ),
    Question(
        name="layer-without-weights",
        text="Which layer of a dense network has no weights?",
        choices=("The first hidden layer", "The input layer", "The last hidden layer", "The output layer"),
        answer=1,
        explanation="It only holds the data. The weights between input and first hidden layer belong to the hidden "
        "layer, and the output layer has its own.",
        lesson="architecture",
    ),
    Question(
        name="layers-without-activation",
        text="Ten dense layers follow each other, all without activation function. What can the network compute?",
        choices=(
            "The same as a single dense layer",
            "The same as ten ReLU layers",
            "Polynomials up to degree ten",
            "Any continuous function",
        ),
        answer=0,
        explanation=r"A product of matrices is one matrix: $W_{10} \cdots W_1 x = Wx$. Powers of $x$ never arise, "
        r"since nothing multiplies an input with an input.",
        lesson="activations",
    ),
    Question(
        name="which-activation-is-drawn",
        text="Which activation function is drawn here?",
        choices=("Leaky ReLU", "Tanh", "GELU", "ELU"),
        answer=3,
        explanation=r"ELU passes positive numbers as they are and bends towards $-1$ on the left. Leaky ReLU would be "
        r"straight there, tanh would also level off on the right, and GELU returns to 0.",
        lesson="activations",
        plots="layerwise_learn.questions.figures:elu_curve",
    ),
    Question(
        name="whose-derivative-is-drawn",
        text="The *derivative* of which activation function is drawn here?",
        choices=("Tanh", "Sigmoid", "ReLU", "SiLU"),
        answer=1,
        explanation=r"The sigmoid's derivative is a bump of height $0.25$. That of tanh has the same shape but reaches "
        r"1; that of ReLU is a step, and that of SiLU ends near 1 on the right.",
        lesson="activations",
        plots="layerwise_learn.questions.figures:sigmoid_slope",
    ),
    Question(
        name="dead-relu-learns",
        text="A ReLU neuron gives 0 for every training example. What does gradient descent do with its weights?",
        choices=(
            "It raises them until the neuron is active again",
            "It sets them to new random numbers",
            "It leaves them as they are",
            "It lowers them further in each step",
        ),
        answer=2,
        explanation="The slope of ReLU is 0 wherever its sum is negative, so the gradient of every weight is 0: the "
        "neuron is dead. Nothing in the rule wakes it; leaky ReLU avoids the state.",
        lesson="activations",
    ),
    Question(
        name="softmax-shifted",
        text="You add 5 to all logits of an example. What happens to the probabilities that softmax gives?",
        choices=("They stay the same", "They become more alike", "The largest one grows", "They no longer sum to 1"),
        answer=0,
        explanation=r"$e^{z_i + 5} = e^5 e^{z_i}$, and the factor $e^5$ cancels. *Multiplying* the logits by 5 would "
        r"make the largest probability grow.",
        lesson="activations",
    ),
    Question(
        name="softmax-by-hand",
        text="Two logits are $1$ and $0$. Which probability does softmax give to the first?",
        choices=("$0.50$", "$1.00$", "$0.27$", "$0.73$"),
        answer=3,
        explanation=r"$e^1 / (e^1 + e^0) = 2.72 / 3.72 \approx 0.73$. Dividing the logits themselves, $1 / (1 + 0)$, "
        r"leaves out the exponential, and $0.27$ belongs to the second.",
        lesson="activations",
    ),
)
