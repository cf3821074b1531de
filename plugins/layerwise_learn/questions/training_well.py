"""Questions of the chapter "Training well"."""

from __future__ import annotations

from layerwise import Question

QUESTIONS = (
    Question(
        name="order-of-learning-rates",
        text="Three trainings differ only in the learning rate. Which order is right, from the smallest rate to the "
        "largest?",
        choices=("A, B, C", "B, C, A", "C, B, A", "A, C, B"),
        answer=1,
        explanation="B goes the right way but slowly: its steps are too small. C is fast. A swings and grows: each "
        "step lands further away on the other side of the minimum. Faster is not always better.",
        lesson="learning-rate",
        plots="layerwise_learn.questions.figures:three_learning_rates",
    ),
    Question(
        name="loss-becomes-nan",
        text="After a few steps the loss grows quickly and then is *NaN*, no number. What do you try first?",
        choices=(
            "Train for more epochs, until it comes back",
            "Make the network wider, so that it fits better",
            "Take more data, so that the gradient is exact",
            "Divide the learning rate by ten, and start anew",
        ),
        answer=3,
        explanation="The steps were too large and the weights ran away. NaN does not come back: every further step "
        "computes with it. The other changes leave the steps as large as they are.",
        lesson="learning-rate",
    ),
    Question(
        name="largest-stable-rate",
        text=r"For $L = 2w^2$ the gradient is $4w$. From which learning rate on does gradient descent diverge?",
        choices=("$0.5$", "$0.25$", "$1.0$", "$4.0$"),
        answer=0,
        explanation=r"A step gives $w - \eta \cdot 4w = (1 - 4\eta)\,w$. Above $\eta = 0.5$ the factor is below $-1$, "
        r"and $w$ grows. With $0.25$ the factor is 0: one step reaches the minimum.",
        lesson="learning-rate",
    ),
    Question(
        name="why-the-rate-falls",
        text="Why do most schedules let the learning rate *fall* towards the end?",
        choices=(
            "Small steps take less time to compute",
            "Gradients become larger near the minimum",
            "Small steps let the weights settle",
            "Large steps would use up the memory",
        ),
        answer=2,
        explanation="With a noisy gradient and large steps the weights keep jumping around the minimum; smaller steps "
        "average the noise out. A step costs the same whatever its size, and gradients shrink near a minimum.",
        lesson="learning-rate",
    ),
    Question(
        name="too-small-a-rate",
        text="The training loss falls in every epoch, smoothly, but after 50 epochs it is still high. What is likely?",
        choices=(
            "The network overfits its examples",
            "The learning rate is too small",
            "The learning rate is too large",
            "The batches are far too small",
        ),
        answer=1,
        explanation="It goes the right way in steps that are too short. Too large a rate or small batches would make "
        "the curve jump, and overfitting shows in the validation loss, with a low training loss.",
        lesson="learning-rate",
    ),
    Question(
        name="count-steps",
        text="50 000 examples, batches of 100, 3 epochs: how many steps are that?",
        choices=("500", "150 000", "1 500", "5 000"),
        answer=2,
        explanation=r"$50\,000 / 100 = 500$ steps in an epoch, and three epochs make $1\,500$. 150 000 is how many "
        r"examples are seen.",
        lesson="epochs-and-overfitting",
    ),
    Question(
        name="where-overfitting-begins",
        text="From about which epoch on does this network overfit?",
        choices=("Epoch 3", "Epoch 8", "Epoch 15", "Never"),
        answer=1,
        explanation="From epoch 8 on the validation loss rises while the training loss goes on falling. At epoch 3 "
        "both still fall, and by epoch 15 it has been overfitting for long.",
        lesson="epochs-and-overfitting",
        plots="layerwise_learn.questions.figures:overfitting_curves",
    ),
    Question(
        name="patience-by-hand",
        text="The validation losses are 0.90, 0.70, 0.60, 0.65, 0.62, 0.61 and 0.63. After which epoch does early "
        "stopping with patience 3 end the training?",
        choices=("Epoch 3", "Epoch 4", "Epoch 7", "Epoch 6"),
        answer=3,
        explanation="The best is epoch 3. Epochs 4, 5 and 6 are not better than 0.60, and with the third of them the "
        "patience is used up. That 0.62 and 0.61 fall again does not count: they do not beat the best.",
        lesson="epochs-and-overfitting",
    ),
    Question(
        name="same-low-accuracy",
        text="The accuracy is 62 % on the training data and 61 % on the validation data; other models reach 90 %. What "
        "helps?",
        choices=(
            "A larger network, or longer training",
            "Stronger dropout and weight decay",
            "Early stopping with less patience",
            "More examples of the same kind",
        ),
        answer=0,
        explanation="It is as bad on what it has seen: underfitting. Dropout, decay and stopping early work against "
        "overfitting and would make it worse, and more examples do not help who cannot fit these.",
        lesson="epochs-and-overfitting",
    ),
    Question(
        name="difference-by-chance",
        text="On the same kind of 400 test examples model A has 91.0 % accuracy and model B 91.5 %. What follows?",
        choices=(
            "B is better, by half a point",
            "B is better, as it was tested last",
            "Little: it may well be chance",
            "A and B are exactly as good",
        ),
        answer=2,
        explanation=r"Half a point is 2 examples. The 95 % interval of each figure reaches about 2.8 points to "
        r"either side. Nor does it follow that they are equal: these examples cannot tell.",
        lesson="epochs-and-overfitting",
    ),
    Question(
        name="leak-in-the-split",
        text="Photos come in bursts of ten of the same scene, and are split into training and test set at random, one "
        "by one. What goes wrong?",
        choices=(
            "The training takes ten times as long",
            "The test figure becomes too good",
            "The test figure becomes too bad",
            "The training loss cannot fall",
        ),
        answer=1,
        explanation="Nearly the same photo lies on both sides, so memory is rewarded: data leakage. Split by scenes, "
        "so that the test asks about scenes that are new.",
        lesson="epochs-and-overfitting",
    ),
    Question(
        name="which-histogram-is-l1",
        text="One network was trained with an L1 penalty, the other with L2. Here are the weights of both. Which is "
        "the one with L1?",
        choices=(
            "B, since its weights are smaller",
            "B, since its curve is a bell",
            "A, since its weights are larger",
            "A, since most of its weights are 0",
        ),
        answer=3,
        explanation="L1 pulls with the same force however small a weight is, so many arrive at exactly 0. L2 pulls "
        "less and less, which makes all of them smaller but leaves the bell.",
        lesson="regularisation",
        plots="layerwise_learn.questions.figures:penalised_weights",
    ),
    Question(
        name="dropout-in-use",
        text="A network was trained with 50 % dropout. What happens to its units when it is *used*?",
        choices=("All are used", "Half are dropped", "The weak are dropped", "All are halved twice"),
        answer=0,
        explanation="Dropout is only for training. Since the units that were kept were scaled up there, nothing has to "
        "be changed in use; dropping units would only make answers random.",
        lesson="regularisation",
    ),
    Question(
        name="wrong-augmentation",
        text="Which change is **no** good augmentation for pictures of handwritten digits?",
        choices=(
            "Shifting them by two pixels",
            "Making the strokes a bit bolder",
            "Turning them upside down",
            "Adding a little noise",
        ),
        answer=2,
        explanation="Upside down, a 6 is a 9: the answer changes, but the label does not. The other changes leave the "
        "digit what it is.",
        lesson="regularisation",
    ),
    Question(
        name="all-weights-equal",
        text="All weights of a network begin with the same number. What happens in training?",
        choices=(
            "It learns as usual, as the gradients differ",
            "The neurons of a layer stay alike for ever",
            "It learns nothing, as all gradients are 0",
            "It diverges, as the gradients add up",
        ),
        answer=1,
        explanation="Neurons with equal weights compute the same and get the same gradient, so they remain copies of "
        "one. It does learn a little, as a network of one neuron per layer would.",
        lesson="regularisation",
    ),
    Question(
        name="he-by-hand",
        text=r"A ReLU layer has 200 inputs. Which standard deviation do its weights begin with after He, "
        r"$\sigma^2 = 2/n$?",
        choices=("$0.1$", "$0.01$", r"$\approx 0.07$", "$1.0$"),
        answer=0,
        explanation=r"$\sigma^2 = 2/200 = 0.01$, and its root is $0.1$. $0.07$ would be $\sqrt{1/200}$, without the 2 "
        r"that makes up for the half that ReLU cuts off.",
        lesson="regularisation",
    ),
    Question(
        name="penalty-too-strong",
        text="After raising the L2 penalty a hundredfold both training and validation loss are high. What happened?",
        choices=(
            "It overfits, and the penalty must grow more",
            "The penalty makes the gradients exact",
            "The network memorises the validation set",
            "The weights are held too small to fit",
        ),
        answer=3,
        explanation="Now the cheapest thing to do is to keep the weights near 0, and the network underfits. "
        "Overfitting would show in a *low* training loss.",
        lesson="regularisation",
    ),
    Question(
        name="flops-by-hand",
        text="About how many operations does a dense layer from 1 000 to 1 000 neurons take for one example?",
        choices=("2 thousand", "2 million", "1 thousand", "1 billion"),
        answer=1,
        explanation=r"Each of the $1\,000 \cdot 1\,000$ weights takes part in one multiplication and one addition.",
        lesson="computation",
    ),
    Question(
        name="training-flops-by-hand",
        text=r"A dense network of $10^6$ parameters is trained on $10^5$ examples for 10 epochs. About how many FLOPs "
        r"are that?",
        choices=(r"$2 \cdot 10^{12}$", r"$6 \cdot 10^{11}$", r"$10^{12}$", r"$6 \cdot 10^{12}$"),
        answer=3,
        explanation=r"About 6 per parameter and example (2 forward, 4 backward): $6 \cdot 10^6 \cdot 10^5 \cdot 10$. "
        r"$2 \cdot 10^{12}$ is the forward pass alone, and $6 \cdot 10^{11}$ a single epoch.",
        lesson="computation",
    ),
    Question(
        name="why-gpus",
        text="Why are GPUs so good at training networks?",
        choices=(
            "They do thousands of like operations at once",
            "Each of their units is faster than a CPU core",
            "They need fewer operations for the same result",
            "They compute with more digits than a CPU does",
        ),
        answer=0,
        explanation="Matrix products are many independent multiplications and additions. A single unit of a GPU is "
        "slower than a CPU core; the number of operations is the same, and often fewer digits are used.",
        lesson="computation",
    ),
    Question(
        name="memory-of-adam",
        text="A network of 100 million parameters is trained with Adam, all in float32 (4 bytes). What do weights, "
        "gradients and Adam's averages take?",
        choices=("0.4 GB", "0.8 GB", "1.6 GB", "1.2 GB"),
        answer=2,
        explanation=r"Four numbers per parameter: weight, gradient, and the averages of gradient and squared gradient: "
        r"$4 \cdot 4 \cdot 10^8$ bytes. $0.4$ GB are the weights alone; the activations come on top.",
        lesson="computation",
    ),
    Question(
        name="out-of-memory",
        text="The network fits into the GPU's memory, but training runs out of it. Which change helps and leaves the "
        "network as it is?",
        choices=("Fewer epochs", "A smaller batch", "A smaller learning rate", "Fewer examples"),
        answer=1,
        explanation="The activations of the whole batch are kept for the backward pass. Epochs and the number of "
        "examples change how long it takes, not how much is in memory at a time.",
        lesson="computation",
    ),
    Question(
        name="bfloat16-against-float16",
        text="Both have 16 bits. What does **bfloat16** do better than float16?",
        choices=(
            "It has more exact digits",
            "It takes less of the memory",
            "It never rounds a number",
            "It holds far larger numbers",
        ),
        answer=3,
        explanation="It has the range of float32, so gradients seldom overflow or vanish, at the price of fewer digits "
        "than float16. Both take two bytes.",
        lesson="computation",
    ),
)
