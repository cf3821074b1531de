"""Questions of the chapter "The four steps of training"."""

from __future__ import annotations

from layerwise import Question

QUESTIONS = (
    Question(
        name="order-of-the-steps",
        text="In which order does one step of training go?",
        choices=(
            "Loss, forward, backward, update",
            "Forward, loss, backward, update",
            "Forward, update, loss, backward",
            "Backward, loss, update, forward",
        ),
        answer=1,
        explanation="The loss needs outputs, so forward comes first; the gradient is that of the loss; and the update "
        "needs the gradient.",
        lesson="forward-pass",
    ),
    Question(
        name="shape-of-a-layer",
        text="A batch of shape [32, 784] goes through a dense layer of 128 neurons. Which shape comes out?",
        choices=("[784, 128]", "[128, 32]", "[32, 784]", "[32, 128]"),
        answer=3,
        explanation="[32, 784] times [784, 128] is [32, 128]: for each of the 32 examples one number from each of the "
        "128 neurons. [784, 128] is the shape of the weights.",
        lesson="forward-pass",
    ),
    Question(
        name="two-layers-by-hand",
        text=r"The input is $2$. The hidden neuron has weight $1.5$, bias $-1$ and ReLU; the output neuron has weight "
        r"$-1$, bias $3$ and no activation. What comes out?",
        choices=("$1$", "$5$", "$2$", "$-2$"),
        answer=0,
        explanation=r"Hidden: $\max(0,\ 1.5 \cdot 2 - 1) = 2$. Output: $-1 \cdot 2 + 3 = 1$. $2$ is what the hidden "
        r"neuron gives, $-2$ leaves out the last bias, and $5$ the minus sign.",
        lesson="forward-pass",
    ),
    Question(
        name="what-inference-needs",
        text="A phone only *uses* a network that was trained elsewhere. What does it compute?",
        choices=(
            "The forward and the backward pass",
            "The forward pass and the loss",
            "The forward pass alone",
            "All four steps, but only once",
        ),
        answer=2,
        explanation="The answer is the output of the forward pass. Loss, gradient and update need a target, and serve "
        "to change the weights, which stay as they are.",
        lesson="forward-pass",
    ),
    Question(
        name="loss-when-probability-halves",
        text=r"For an example the probability of the right class falls from $0.5$ to $0.25$. What does its "
        r"cross-entropy do?",
        choices=("It halves", "It doubles", "It grows fourfold", "It stays the same"),
        answer=1,
        explanation=r"$-\ln 0.5 \approx 0.69$ becomes $-\ln 0.25 = -2 \ln 0.5 \approx 1.39$. Each further halving adds "
        r"another $0.69$.",
        lesson="loss",
    ),
    Question(
        name="loss-before-training",
        text="A new network shall tell 10 classes apart. About which cross-entropy do you expect before training?",
        choices=("0.1", "1.0", "10.0", "2.3"),
        answer=3,
        explanation=r"It knows nothing, so each class gets about $0.1$, and $-\ln 0.1 \approx 2.3$. The probability "
        r"$0.1$ itself is not the loss.",
        lesson="loss",
    ),
    Question(
        name="accuracy-trap",
        text="Of 1 000 patients 20 are ill. A model calls everybody healthy. Which figure shows best that it is "
        "useless?",
        choices=("Its recall of 0 %", "Its accuracy of 98 %", "Its error of 2 %", "Its 980 right answers"),
        answer=0,
        explanation="It finds none of the ill, so the recall is 0. The other three say the same thing, and look good "
        "only because healthy patients are so many.",
        lesson="loss",
    ),
    Question(
        name="f1-by-hand",
        text=r"A detector has precision $1.0$ and recall $0.5$. What is its $F_1$?",
        choices=("0.75", "0.50", "0.67", "1.00"),
        answer=2,
        explanation=r"$2 \cdot 1 \cdot 0.5 / (1 + 0.5) \approx 0.67$, the harmonic mean. It lies nearer to the worse "
        r"of the two than the ordinary mean $0.75$ does.",
        lesson="loss",
    ),
    Question(
        name="loss-up-accuracy-same",
        text="The validation loss rises for some epochs while the validation accuracy stays the same. How can that be?",
        choices=(
            "One of the two figures must be a mistake",
            "Its wrong answers become more certain",
            "Its right answers become more certain",
            "The learning rate has become too small",
        ),
        answer=1,
        explanation="Accuracy only counts right answers. Cross-entropy also counts how certain a wrong one is: from "
        "$p = 0.3$ to $p = 0.01$ for the right class the loss grows, and the answer stays wrong.",
        lesson="loss",
    ),
    Question(
        name="which-mean-squared-error",
        text="Model A errs by 2, 2, 2 and 2 on four examples, model B by 0, 0, 0 and 5. Which has the larger mean "
        "squared error?",
        choices=("A, with 8.00", "A, with 4.00", "B, with 1.25", "B, with 6.25"),
        answer=3,
        explanation=r"A: $16/4 = 4$. B: $25/4 = 6.25$. The mean *absolute* error is smaller for B ($1.25$), but "
        r"squares weigh one large error heavily.",
        lesson="loss",
    ),
    Question(
        name="perplexity-by-hand",
        text=r"The mean cross-entropy of a language model is $\ln 8$ per token. What is its perplexity?",
        choices=("$8$", r"$\ln 8$", "$3$", r"$1/8$"),
        answer=0,
        explanation=r"$e^{\ln 8} = 8$: as unsure as among 8 equally likely tokens. $3$ would be the entropy in bits, "
        r"and $1/8$ the typical probability of the right token.",
        lesson="loss",
    ),
    Question(
        name="chain-rule-by-hand",
        text=r"$z = w x$ with $x = 2$ and $w = 1$, and $L = (z - 5)^2$. What is $\partial L / \partial w$?",
        choices=("$-6$", "$12$", "$-12$", "$9$"),
        answer=2,
        explanation=r"$\frac{dL}{dz} = 2(z - 5) = -6$ and $\frac{dz}{dw} = x = 2$, so $-12$. With $-6$ the last factor "
        r"of the chain is missing, and $9$ is the loss.",
        lesson="backpropagation",
    ),
    Question(
        name="gradient-with-input-zero",
        text="For one example an input of a neuron is 0. Which gradient does the weight of this input get from it?",
        choices=(
            "The same as the bias of the neuron",
            "Zero, whatever the error is",
            "The largest of all its weights",
            "One that depends on the weight",
        ),
        answer=1,
        explanation=r"$\partial L / \partial w = \delta \cdot x$, and $x = 0$. The bias is different: its input is "
        r"always 1, so it gets $\delta$.",
        lesson="backpropagation",
    ),
    Question(
        name="order-of-backpropagation",
        text="Why does backpropagation begin at the last layer?",
        choices=(
            "Each layer's gradient is computed from the one behind it",
            "The last layer has the fewest weights, so it is fastest",
            "The first layers must not change before the last ones do",
            "The inputs are not known any more when the loss is known",
        ),
        answer=0,
        explanation="By the chain rule a layer acts on the loss only through the layers behind it. All inputs and "
        "activations are kept from the forward pass, and all layers are updated together.",
        lesson="backpropagation",
    ),
    Question(
        name="cost-of-backpropagation",
        text="A network has a million weights. What does computing its *whole* gradient cost by backpropagation?",
        choices=(
            "About a million forward passes",
            "About a thousand forward passes",
            "About half a forward pass",
            "About two forward passes",
        ),
        answer=3,
        explanation="One sweep back gives all derivatives, with two matrix products for each of the forward pass. "
        "Changing each weight a little and looking at the loss would take a million forward passes.",
        lesson="backpropagation",
    ),
    Question(
        name="ten-sigmoids",
        text=r"A gradient passes back through 10 sigmoid layers whose weights are about 1. The slope of the sigmoid is "
        r"at most $0.25$. How much of it is left at best?",
        choices=("A quarter", "A fortieth", "A millionth", "All of it"),
        answer=2,
        explanation=r"The slopes multiply: $0.25^{10} \approx 10^{-6}$. They do not add up, so it is not a tenth of a "
        r"quarter. This is the vanishing gradient; the slope of ReLU is 1 where it is active.",
        lesson="backpropagation",
    ),
    Question(
        name="softmax-gradient-by-hand",
        text=r"Softmax gives $(0.7,\ 0.2,\ 0.1)$, and the second class is right. What is the gradient of the "
        r"cross-entropy for the logits?",
        choices=(
            r"$(0.7,\ -0.8,\ 0.1)$",
            r"$(-0.7,\ 0.8,\ -0.1)$",
            r"$(0,\ -0.8,\ 0)$",
            r"$(0.7,\ 0.2,\ 0.1)$",
        ),
        answer=0,
        explanation=r"$p - y = (0.7,\ 0.2 - 1,\ 0.1)$. The update goes against it: the second logit rises, the others "
        r"fall. The wrong classes have a gradient too.",
        lesson="backpropagation",
    ),
    Question(
        name="update-by-hand",
        text=r"A weight is $2$, its gradient $-3$, the learning rate $0.1$. What is the weight after the step?",
        choices=("$1.7$", "$2.3$", "$-1.0$", "$2.03$"),
        answer=1,
        explanation=r"$2 - 0.1 \cdot (-3) = 2.3$. The gradient is negative, so the loss falls when the weight grows; "
        r"$1.7$ would go uphill.",
        lesson="gradient-descent",
    ),
    Question(
        name="why-mini-batches",
        text="Why does one usually not take all examples for each step?",
        choices=(
            "The gradient of all examples points the wrong way",
            "The loss of all examples cannot be differentiated",
            "The network would learn the order of the examples",
            "Many cheap, roughly right steps get further sooner",
        ),
        answer=3,
        explanation="The gradient of a mini-batch is right on average and costs a fraction. That of all examples is "
        "more exact, but in the time of one such step hundreds of small ones are done.",
        lesson="gradient-descent",
    ),
    Question(
        name="noise-and-batch-size",
        text="The batch size is raised from 64 to 256. What happens to the standard deviation of the gradient's noise?",
        choices=("It halves", "It falls to a quarter", "It doubles", "It stays the same"),
        answer=0,
        explanation=r"It falls as $1/\sqrt{B}$, and $\sqrt{256/64} = 2$. The *variance* falls to a quarter.",
        lesson="gradient-descent",
    ),
    Question(
        name="which-curve-is-single-example",
        text="The same model was trained with all examples per step and with one example per step. Which curve is "
        "which?",
        choices=(
            "A had one example per step, as it is smooth",
            "A had one example per step, as it ends lower",
            "B had one example per step, as it is noisy",
            "It cannot be told from curves of the loss",
        ),
        answer=2,
        explanation="Single examples give gradients that point somewhat beside the way down, so the loss jumps and "
        "does not settle at the minimum. With all examples each small step goes downhill.",
        lesson="gradient-descent",
        plots="layerwise_learn.questions.figures:two_batch_sizes",
    ),
    Question(
        name="swinging-path",
        text="The path of gradient descent swings across a narrow valley. What gets it to the minimum in fewer steps?",
        choices=(
            "A learning rate twice as large",
            "Momentum, which evens the swings out",
            "Starting again from another point",
            "Computing the gradient more exactly",
        ),
        answer=1,
        explanation="Across the valley the gradients take turns in sign and cancel in the running average; along it "
        "they agree and add up. A larger rate would swing even more, and this gradient is exact already.",
        lesson="gradient-descent",
        plots="layerwise_learn.questions.figures:swinging_path",
    ),
    Question(
        name="adam-step-sizes",
        text=r"The gradient of weight $a$ is always $10$, that of weight $b$ always $0.001$. How do their steps under "
        r"Adam compare?",
        choices=(
            "That of $a$ is 10 000 times as large",
            "That of $a$ is 100 times as large",
            "That of $b$ is 10 000 times as large",
            "Both are about equally large",
        ),
        answer=3,
        explanation=r"Adam divides the mean gradient by the root of the mean square: $10/10$ and $0.001/0.001$, both 1 "
        r"times the learning rate. Plain gradient descent would give the factor of 10 000.",
        lesson="gradient-descent",
    ),
)
