"""Cards of the chapter "Why it works"."""

from __future__ import annotations

from layerwise import Card

CARDS = (
    Card(
        name="hierarchical-features",
        front="What is **hierarchical feature learning**?",
        back="Early layers find simple things such as edges, later ones combine them into textures, parts and whole "
        "objects. Nobody says which: the training finds them.",
        lesson="hierarchical-features",
    ),
    Card(
        name="convolution",
        front="What does a **convolution** layer do?",
        back="It slides small filters over the picture. At each place it takes the weighted sum of the few pixels "
        "there, always with the same weights.",
        lesson="hierarchical-features",
    ),
    Card(
        name="weight-sharing",
        front="What are the two gains of using the same filter at every place?",
        back="Far fewer weights, and what was learned at one place is recognised at every other: shift the picture, "
        "and the feature map shifts with it.",
        lesson="hierarchical-features",
    ),
    Card(
        name="convolution-parameters",
        front="How many parameters has a convolution of 64 filters of $3 \\times 3$ over 32 channels?",
        back=r"$3 \cdot 3 \cdot 32 \cdot 64 + 64 = 18\,496$. The size of the picture does not matter.",
        lesson="hierarchical-features",
    ),
    Card(
        name="receptive-field",
        front="What is the **receptive field** of a unit, and how large is it after three $3 \\times 3$ convolutions?",
        back=r"The part of the input that can change it. Each $3 \times 3$ convolution adds one pixel on every side: "
        r"$3$, then $5$, then $7$ pixels wide.",
        lesson="hierarchical-features",
    ),
    Card(
        name="pooling",
        front="What does **pooling** do?",
        back="It puts one number in place of a small window, such as the largest of $2 \\times 2$. The map becomes "
        "smaller, later layers see more of the picture, and small shifts matter less.",
        lesson="hierarchical-features",
    ),
    Card(
        name="feature-map",
        front="What are the **channels** or **feature maps** of a layer?",
        back="One map for each filter: how strongly its pattern was found at each place. The input of a colour picture "
        "has three channels: red, green, blue.",
        lesson="hierarchical-features",
    ),
    Card(
        name="transfer-learning",
        front="What is **transfer learning**, and why does it need few examples?",
        back="Starting from a network that was trained on another, larger task. Its early features are useful here "
        "too, so only the last layers have to be learned, or all to be adjusted a little.",
        lesson="hierarchical-features",
    ),
    Card(
        name="saliency",
        front="What is a **saliency map**?",
        back="The gradient of an output for each pixel of the input: where a small change would change the answer "
        "most. It shows what the answer is sensitive to, not whether it is right.",
        lesson="hierarchical-features",
    ),
    Card(
        name="feature-visualisation",
        front="How does one make a picture of what a unit looks for?",
        back="Change the input, not the weights: start from noise and climb the gradient of the unit's activation "
        "for the pixels.",
        lesson="hierarchical-features",
    ),
    Card(
        name="end-to-end-learning",
        front="What is **end-to-end learning**?",
        back="One network from the raw input to the answer, all of it trained by one loss, instead of a chain of steps "
        "that are designed and tuned one by one.",
        lesson="end-to-end",
    ),
    Card(
        name="hand-made-features",
        front="What are **hand-made features**, and when do they still win?",
        back="Numbers that a person designed, such as histograms of edge directions, fed to a simple model. They can "
        "win when there are few examples and good knowledge of the subject.",
        lesson="end-to-end",
    ),
    Card(
        name="end-to-end-price",
        front="What does end-to-end learning cost?",
        back="More examples and more computation, and the steps in between have no meaning that a person could check "
        "one by one.",
        lesson="end-to-end",
    ),
    Card(
        name="representation",
        front="What is a learned **representation**?",
        back="The activations of a hidden layer for an input. Training arranges them so that inputs with the same "
        "answer lie close together and the last layer has an easy task.",
        lesson="end-to-end",
    ),
    Card(
        name="ctc",
        front="Which problem does **CTC** (connectionist temporal classification) solve?",
        back="Speech comes with its text, but nobody says which sound belongs to which letter. CTC adds up the "
        "probabilities of all alignments, with repeats and a blank symbol, and trains on their sum.",
        lesson="end-to-end",
    ),
    Card(
        name="universal-approximation",
        front="What does the **universal approximation** theorem say, and what does it not say?",
        back="One wide enough hidden layer with an activation that is no polynomial comes as close as wanted to any "
        "continuous function on a bounded region. It does not say how many neurons, or that training finds them.",
        lesson="depth",
    ),
    Card(
        name="why-depth",
        front="Why does **depth** help, although one hidden layer could do?",
        back="Each layer uses again what the one before found. For some functions composed of many steps, a shallow "
        "network needs exponentially more neurons than a deep one.",
        lesson="depth",
    ),
    Card(
        name="sawtooth",
        front="How many teeth can the sawtooth have that a ReLU network of $k$ small layers computes?",
        back=r"Two ReLU neurons make a tent, and a tent of a tent has twice as many teeth: $k$ layers give $2^{k-1}$. "
        r"With one hidden layer the pieces grow only in proportion to its neurons (Telgarsky 2016).",
        lesson="depth",
    ),
    Card(
        name="residual-connection",
        front="What is a **residual connection**, and why does it help?",
        back=r"A layer's input is added to its output: $y = x + f(x)$. The gradient then has a way round $f$, since "
        r"$dy/dx = 1 + f'(x)$, so that very deep networks can be trained.",
        lesson="depth",
    ),
    Card(
        name="degradation",
        front="Before residual connections, very deep plain networks were worse than shallower ones even on the "
        "*training* data. What does that tell?",
        back="It was not overfitting but optimisation: the deeper network could express the shallower one, yet "
        "training did not find it.",
        lesson="depth",
    ),
    Card(
        name="depth-versus-width",
        front="How does one compare depth and width fairly?",
        back="With equal numbers of parameters (or FLOPs), each trained with several seeds, and the differences "
        "compared with the spread between seeds.",
        lesson="depth",
    ),
)
