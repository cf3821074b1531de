"""Cards of the chapter "The four steps of training"."""

from __future__ import annotations

from layerwise import Card

CARDS = (
    Card(
        name="four-steps",
        front="Which four steps does training repeat?",
        back="*Forward*: compute the outputs. *Loss*: measure how wrong they are. *Backward*: compute the gradient of "
        "the loss for every weight. *Update*: move each weight a little against its gradient.",
        lesson="forward-pass",
    ),
    Card(
        name="forward-pass",
        front="What is the **forward pass**?",
        back="Computing the output from an input, layer by layer, each from the outputs of the one before. It is all "
        "that is needed to use a trained network.",
        lesson="forward-pass",
    ),
    Card(
        name="layer-as-matrix",
        front="How does one write a dense layer for a whole batch as one formula?",
        back=r"$A = f(XW + b)$ with $X$ of shape [batch, inputs], $W$ of shape [inputs, neurons] and $b$ of shape "
        r"[neurons]. One matrix product does the work.",
        lesson="forward-pass",
    ),
    Card(
        name="logits",
        front="What are **logits**?",
        back="The outputs of the last layer before softmax or sigmoid: scores of any size, not yet probabilities.",
        lesson="forward-pass",
    ),
    Card(
        name="training-and-inference",
        front="What tells **inference** from **training**?",
        back="Inference is the forward pass alone, with fixed weights. Training adds loss, backward pass and update, "
        "and switches on what is only for training, such as dropout.",
        lesson="forward-pass",
    ),
    Card(
        name="loss-function",
        front="What is a **loss function**?",
        back="One number that says how wrong the outputs are for given targets, 0 or small when they are right. "
        "Training makes its mean over the examples small.",
        lesson="loss",
    ),
    Card(
        name="cross-entropy",
        front="What is the **cross-entropy** loss of one example, and what does it punish most?",
        back=r"$-\ln p$, with $p$ the probability that the network gave to the right class. It is 0 for $p = 1$ and "
        r"grows without limit towards $p = 0$: being sure and wrong costs most.",
        lesson="loss",
    ),
    Card(
        name="mean-squared-error",
        front="What is the **mean squared error**, and when is it used?",
        back=r"$\frac{1}{n} \sum_i (\hat y_i - y_i)^2$, for regression, when numbers are predicted. An error twice as "
        r"large counts four times.",
        lesson="loss",
    ),
    Card(
        name="loss-of-guessing",
        front="Which cross-entropy has a network that gives each of 10 classes the same probability?",
        back=r"$\ln 10 \approx 2.30$. A loss near that at the start is a good sign; one that stays there has learned "
        r"nothing.",
        lesson="loss",
    ),
    Card(
        name="loss-and-metric",
        front="Why does one train by cross-entropy and not directly by **accuracy**?",
        back="Accuracy jumps when an answer changes and is flat everywhere else, so its gradient is 0 almost "
        "everywhere. The loss tells how to become a little better.",
        lesson="loss",
    ),
    Card(
        name="accuracy",
        front="What is **accuracy**, and when does it mislead?",
        back="The share of right answers. When 99 % of the examples are of one class, always answering that class has "
        "99 % accuracy and is useless.",
        lesson="loss",
    ),
    Card(
        name="precision-recall-f1",
        front="What are **precision**, **recall** and **F1**?",
        back=r"Precision: how many of those found are right. Recall: how many of those that exist were found. "
        r"$F_1 = \frac{2PR}{P + R}$ is high only when both are.",
        lesson="loss",
    ),
    Card(
        name="perplexity",
        front="What is the **perplexity** of a language model?",
        back=r"$e^{L}$, with $L$ the mean cross-entropy per token. A perplexity of 20 means: as unsure as if it "
        r"guessed among 20 tokens that are equally likely.",
        lesson="loss",
    ),
    Card(
        name="gradient",
        front="What is the **gradient** of the loss?",
        back=r"The vector of its derivatives $\partial L / \partial w$ for all weights. It points to where the loss "
        r"rises fastest; training goes the other way.",
        lesson="backpropagation",
    ),
    Card(
        name="backpropagation",
        front="What is **backpropagation**?",
        back="Computing the gradient of the loss for all weights in one sweep from the output back to the input, by "
        "the chain rule. What a layer has computed is used again by the layer before it.",
        lesson="backpropagation",
    ),
    Card(
        name="chain-rule",
        front="What does the **chain rule** say?",
        back=r"Derivatives of nested functions multiply: $\frac{dL}{dw} = \frac{dL}{da} \cdot \frac{da}{dz} \cdot "
        r"\frac{dz}{dw}$ for $w \to z \to a \to L$.",
        lesson="backpropagation",
    ),
    Card(
        name="gradient-of-weight",
        front=r"What is $\partial L / \partial w$ of a weight from input $x$ to a neuron with $\partial L / \partial z "
        r"= \delta$?",
        back=r"$\delta \cdot x$, since $z = wx + \dots$ A weight whose input is 0 gets no gradient, and the gradient "
        r"of the bias is $\delta$ itself.",
        lesson="backpropagation",
    ),
    Card(
        name="softmax-gradient",
        front="What is the gradient of cross-entropy after softmax with respect to the logits?",
        back=r"$p - y$: the predicted probabilities minus the target, which is 1 for the right class and 0 for the "
        r"others. Nothing simpler could be hoped for.",
        lesson="backpropagation",
    ),
    Card(
        name="backward-cost",
        front="How much work is the backward pass, compared with the forward pass?",
        back="About twice as much: each matrix product of the forward pass needs two, one for the gradient of the "
        "weights and one for that of the inputs. Trying each weight by itself would take a forward pass per weight.",
        lesson="backpropagation",
    ),
    Card(
        name="vanishing-gradients",
        front="What are **vanishing gradients**?",
        back=r"Going back through many layers multiplies many factors. When they are below 1, as the sigmoid's slope "
        r"of at most $0.25$, the product shrinks towards 0 and the first layers hardly learn.",
        lesson="backpropagation",
    ),
    Card(
        name="exploding-gradients",
        front="What are **exploding gradients**, and what helps?",
        back="The factors of many layers multiply to something huge, and an update throws the weights far away. "
        "Gradient clipping, good initialisation, normalisation and a smaller learning rate help.",
        lesson="backpropagation",
    ),
    Card(
        name="gradient-descent",
        front="What is the update of **gradient descent**?",
        back=r"$w \leftarrow w - \eta \, \frac{\partial L}{\partial w}$: a step of learning rate times gradient, "
        r"downhill.",
        lesson="gradient-descent",
    ),
    Card(
        name="sgd",
        front="What is **stochastic** about stochastic gradient descent (SGD)?",
        back="Each step uses the gradient of a few randomly drawn examples instead of all. It is noisy, but right on "
        "average and far cheaper.",
        lesson="gradient-descent",
    ),
    Card(
        name="batch-mini-batch-single",
        front="How do **batch**, **mini-batch** and **single-example** gradient descent differ?",
        back="By the examples per step: all of them, some (often 32 to 512), or one. Fewer means cheaper but noisier "
        "steps; mini-batches also use parallel hardware well.",
        lesson="gradient-descent",
    ),
    Card(
        name="gradient-noise",
        front="How does the noise of a mini-batch gradient depend on the batch size $B$?",
        back=r"Its standard deviation falls as $1/\sqrt{B}$: four times as many examples halve the noise.",
        lesson="gradient-descent",
    ),
    Card(
        name="momentum",
        front="What does **momentum** do?",
        back=r"It steps along a running average of the gradients: $v \leftarrow \beta v + g$, $w \leftarrow w - \eta "
        r"v$. Steps add up where gradients agree and cancel where they swing to and fro.",
        lesson="gradient-descent",
    ),
    Card(
        name="adam",
        front="What does **Adam** keep for each weight, and what for?",
        back="Running averages of its gradient and of its squared gradient. The step is the first divided by the root "
        "of the second, so every weight gets a step size of its own.",
        lesson="gradient-descent",
    ),
    Card(
        name="loss-surface",
        front="What is the **loss surface**?",
        back="The loss as a height over all values of the weights. Training walks downhill on it; narrow valleys make "
        "plain gradient descent swing, and flat places make it slow.",
        lesson="gradient-descent",
    ),
    Card(
        name="saddle-point",
        front="What is a **saddle point**, and why do deep networks meet more of them than bad local minima?",
        back="The gradient is 0, but it goes down in some directions and up in others. With millions of directions it "
        "is rare that all of them go up.",
        lesson="gradient-descent",
    ),
)
