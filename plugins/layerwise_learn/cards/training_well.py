"""Cards of the chapter "Training well"."""

from __future__ import annotations

from layerwise import Card

CARDS = (
    Card(
        name="learning-rate",
        front=r"What is the **learning rate** $\eta$?",
        back="The factor between the gradient and the step. It is the hyperparameter to get right first.",
        lesson="learning-rate",
    ),
    Card(
        name="learning-rate-too-small-or-large",
        front="How do you see that a learning rate is **too small**, and that it is **too large**?",
        back="Too small: the loss falls smoothly but very slowly. Too large: it jumps up and down, stays high, or "
        "grows until it is no number any more.",
        lesson="learning-rate",
    ),
    Card(
        name="divergence",
        front=r"From which learning rate on does gradient descent on the parabola $\frac{1}{2} c w^2$ diverge?",
        back=r"From $\eta > 2/c$ on: a step multiplies $w$ by $1 - \eta c$, whose magnitude is then above 1. Steeper "
        r"curvature needs smaller steps.",
        lesson="learning-rate",
    ),
    Card(
        name="learning-rate-schedule",
        front="What is a **learning rate schedule**, and why does the rate usually fall?",
        back="A rule that changes the rate during training. Large steps make fast progress at first; small ones at the "
        "end let the weights settle instead of jumping around the minimum.",
        lesson="learning-rate",
    ),
    Card(
        name="warm-up",
        front="What is **warm-up**?",
        back="Letting the learning rate rise from 0 over the first steps. At the start gradients are large and the "
        "averages of Adam are still unreliable, so full steps could do harm.",
        lesson="learning-rate",
    ),
    Card(
        name="epoch-step-batch",
        front="What are a **batch**, a **step** and an **epoch**?",
        back="A batch is the examples of one update; a step is one update; an epoch is one pass over all training "
        "examples. 60 000 examples in batches of 128 make 469 steps per epoch.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="overfitting",
        front="What is **overfitting**, and how do you see it?",
        back="The network learns what is peculiar to the training examples and gets worse on others. The training loss "
        "goes on falling while the validation loss rises.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="underfitting",
        front="What is **underfitting**, and what helps?",
        back="The loss is high even on the training examples: the network is too small, too strongly regularised, or "
        "trained too briefly. Give it more of what it lacks.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="generalisation",
        front="What is **generalisation**?",
        back="Being right on examples that were not trained on. The gap between the loss on new examples and the "
        "training loss is the generalisation gap.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="validation",
        front="Why is a **validation set** kept apart from the training data?",
        back="On what it has trained on, a network can be right by memory. Only on examples that it has not seen does "
        "one notice whether it learned what they have in common.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="test-set-once",
        front="Why is the test set not used to choose between models?",
        back="Choosing the best of many by it picks what fits its accidents, so the figure is too good. Choose by the "
        "validation set, then measure once on the test set.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="early-stopping",
        front="What is **early stopping**, and what is its *patience*?",
        back="Training stops when the validation loss has not become better for some epochs in a row. The patience is "
        "how many.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="data-leakage",
        front="What is **data leakage**?",
        back="Something of the validation or test examples gets into training, such as two photos of the same scene on "
        "both sides. The figures become too good and do not hold in use.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="confidence-interval",
        front="Accuracy 90 % on 1 000 test examples. How far might it be off by chance?",
        back=r"About $\pm 1.96\sqrt{0.9 \cdot 0.1 / 1000} \approx \pm 1.9$ points: the 95 % **confidence interval** "
        r"is about 88.1 % to 91.9 %. Four times as many examples halve its width.",
        lesson="epochs-and-overfitting",
    ),
    Card(
        name="regularisation",
        front="What is **regularisation**?",
        back="Anything that makes a network do better on new examples even though it may do worse on the training "
        "examples: penalties on weights, dropout, data augmentation, early stopping.",
        lesson="regularisation",
    ),
    Card(
        name="l2",
        front="What does **L2** regularisation add to the loss, and what follows for the weights?",
        back=r"$\lambda \sum w^2$. Its gradient $2 \lambda w$ pulls each weight towards 0, the harder the larger it "
        r"is: weights become small, but rarely exactly 0.",
        lesson="regularisation",
    ),
    Card(
        name="l1",
        front="How does **L1** regularisation differ from L2?",
        back=r"It adds $\lambda \sum |w|$, which pulls with the same force however small a weight is. Many weights "
        r"become exactly 0: the network becomes sparse.",
        lesson="regularisation",
    ),
    Card(
        name="weight-decay",
        front="What is **weight decay**, and how does AdamW apply it?",
        back="Each step shrinks the weights by a small factor. AdamW does so apart from the gradient, so that Adam's "
        "division by the size of the gradients does not weaken it for some weights.",
        lesson="regularisation",
    ),
    Card(
        name="dropout",
        front="What does **dropout** do in training, and what in use?",
        back="In training it sets a random share of a layer's outputs to 0 in each step and scales the others up, so "
        "that no unit can rely on a single other one. In use nothing is dropped.",
        lesson="regularisation",
    ),
    Card(
        name="data-augmentation",
        front="What is **data augmentation**?",
        back="Training on changed copies whose answer stays the same: a picture flipped or shifted, a sound with "
        "noise. The network learns that these changes do not matter.",
        lesson="regularisation",
    ),
    Card(
        name="label-smoothing",
        front="What is **label smoothing**?",
        back="The target gives a small share, such as 0.1, to all classes instead of 1 to a single one. It keeps the "
        "network from becoming ever more certain.",
        lesson="regularisation",
    ),
    Card(
        name="initialisation",
        front="Why are weights **initialised** at random and not all with the same value?",
        back="Equal neurons of a layer would get equal gradients and stay equal for ever, like a single neuron. Random "
        "values break the symmetry.",
        lesson="regularisation",
    ),
    Card(
        name="he-and-glorot",
        front="How large are initial weights after **He** and after **Glorot**, and why?",
        back=r"Variance $2/n_\text{in}$ (He, for ReLU) or $2/(n_\text{in} + n_\text{out})$ (Glorot, for tanh). Then "
        r"signals and gradients keep about the same size through many layers.",
        lesson="regularisation",
    ),
    Card(
        name="batch-normalisation",
        front="What does **batch normalisation** do?",
        back="For each feature it subtracts the mean over the batch, divides by the standard deviation, then applies a "
        "learned scale and shift. In use, running averages stand for those of the batch.",
        lesson="regularisation",
    ),
    Card(
        name="layer-normalisation",
        front="How does **layer normalisation** differ from batch normalisation?",
        back="It takes mean and standard deviation over the features of each example by itself, so it does not depend "
        "on the batch. Transformers use it.",
        lesson="regularisation",
    ),
    Card(
        name="flops",
        front="What are **FLOPs**, and how many has a dense layer for one example?",
        back=r"Operations on floating-point numbers. A dense layer of $n$ inputs and $m$ neurons multiplies and adds "
        r"once per weight: about $2nm$.",
        lesson="computation",
    ),
    Card(
        name="training-flops",
        front="About how many FLOPs does training take per example and parameter of a dense network?",
        back="6: 2 for the forward pass and 4 for the backward pass. So the total is about 6 times parameters times "
        "examples times epochs.",
        lesson="computation",
    ),
    Card(
        name="gpu",
        front="Why is a **GPU** faster than a CPU for deep learning?",
        back="Networks are mostly matrix products: millions of independent multiplications and additions. A GPU has "
        "thousands of simple units that do them at once, and fast memory to feed them.",
        lesson="computation",
    ),
    Card(
        name="precision",
        front="What are **float32**, **float16** and **bfloat16**?",
        back="Number formats of 32, 16 and 16 bits. The short ones need half the memory and run faster. bfloat16 has "
        "the range of float32 with fewer digits; float16 has more digits but a smaller range.",
        lesson="computation",
    ),
    Card(
        name="training-memory",
        front="What fills the memory in training besides the weights?",
        back="The gradients (as many as weights), the optimizer's averages (for Adam twice as many), and the "
        "activations of the batch, kept for the backward pass.",
        lesson="computation",
    ),
    Card(
        name="throughput-and-latency",
        front="What tells **throughput** from **latency**?",
        back="Throughput is how many examples are done per second, latency how long one waits for an answer. Larger "
        "batches usually raise both.",
        lesson="computation",
    ),
    Card(
        name="data-parallelism",
        front="How do several devices train one network by **data parallelism**?",
        back="Each has a copy of the weights and takes a part of the batch; their gradients are averaged, and all make "
        "the same update.",
        lesson="computation",
    ),
)
