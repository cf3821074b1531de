"""Questions of the chapter "Applications"."""

from __future__ import annotations

from layerwise import Question

QUESTIONS = (
    Question(
        name="which-vision-task",
        text="A program shall say for each *pixel* whether it is road, car or person. Which task is that?",
        choices=("Classification", "Detection", "Recognition", "Segmentation"),
        answer=3,
        explanation="Segmentation answers for each pixel. Detection would draw boxes around things, classification "
        "give one answer for the whole picture.",
        lesson="applications",
    ),
    Question(
        name="iou-by-hand",
        text=r"Two boxes of $2 \times 2$ share an area of 2. What is their IoU?",
        choices=("$1/2$", "$1/3$", "$1/4$", "$2/3$"),
        answer=1,
        explanation=r"Together they cover $4 + 4 - 2 = 6$, and $2/6 = 1/3$. $1/2$ is the share of one box, and $1/4$ "
        r"comes from counting the common part twice.",
        lesson="applications",
    ),
    Question(
        name="unknown-word",
        text="A modern tokenizer meets a word that it has never seen. What does it do?",
        choices=(
            "It cuts it into known pieces",
            "It leaves the word out",
            "It gives it a new number",
            "It takes the nearest word",
        ),
        answer=0,
        explanation="Down to single characters or bytes there is always a piece that it knows. The vocabulary is "
        "fixed, since the network has one embedding for each of its numbers.",
        lesson="applications",
    ),
    Question(
        name="attention-weights",
        text="In self-attention, the weights with which one position looks at all positions ...",
        choices=(
            "... are learned once and then fixed",
            "... are 1 for neighbours and 0 elsewhere",
            "... are computed from the input and sum to 1",
            "... are equal, so that a mean is taken",
        ),
        answer=2,
        explanation="They are the softmax of how well queries and keys fit, so they differ with each input. What is "
        "learned are the matrices that make queries, keys and values.",
        lesson="applications",
    ),
    Question(
        name="transformer-without-positions",
        text="A transformer without positional encodings and without a mask gets *dog bites man* and *man bites dog*. "
        "What can it tell apart?",
        choices=(
            "Who bites whom, by the order of words",
            "Nothing about the order of the words",
            "Only which word is the first one",
            "Only which words are neighbours",
        ),
        answer=1,
        explanation="Attention sees a set of words: each word gets the same result in both sentences. Positions have "
        "to be put in as numbers.",
        lesson="applications",
    ),
    Question(
        name="labels-of-a-language-model",
        text="Who labels the texts on which a language model is trained?",
        choices=(
            "People who mark the grammar of each word",
            "People who rate how good each text is",
            "A dictionary that knows all meanings",
            "Nobody: the next token is the target",
        ),
        answer=3,
        explanation="Every text holds its own targets, which is why so much of it can be used. Ratings by people come "
        "later, if at all, to make the answers more helpful.",
        lesson="applications",
    ),
    Question(
        name="what-embeddings-hold",
        text="After training, the embeddings of *Tuesday* and *Friday* are close together. Why?",
        choices=(
            "They are used in like contexts",
            "They have several letters in common",
            "They stand side by side in the vocabulary",
            "They were set so by the programmer",
        ),
        answer=0,
        explanation="What can be said of one can mostly be said of the other, so like vectors serve the task. The "
        "letters and the numbers of the tokens are not seen by the network.",
        lesson="applications",
    ),
    Question(
        name="which-sound",
        text="This is the spectrogram of a sound. What does one hear?",
        choices=(
            "A low tone that stays as it is",
            "A tone that becomes louder",
            "A tone that becomes higher",
            "Noise without any tone",
        ),
        answer=2,
        explanation="Time runs to the right, frequency upwards, and the strong band climbs. Becoming louder would show "
        "as a level band that gets brighter; noise would fill the whole picture.",
        lesson="applications",
        plots="layerwise_learn.questions.figures:rising_tone",
    ),
    Question(
        name="q-target-by-hand",
        text=r"The reward is 1, the discount $\gamma = 0.9$, and the best action of the next state is worth 10. Which "
        r"target does Q-learning use?",
        choices=("$11$", "$10$", "$9$", "$9.9$"),
        answer=1,
        explanation=r"$r + \gamma \max Q = 1 + 0.9 \cdot 10 = 10$. With $11$ the discount is missing, with $9$ the "
        r"reward, and with $9.9$ the reward is discounted, too.",
        lesson="applications",
    ),
    Question(
        name="reward-is-no-label",
        text="What does a reward tell an agent, compared with the label of supervised learning?",
        choices=(
            "How good it was, not what to do",
            "Which action would have been best",
            "Which observation comes next",
            "How certain its policy should be",
        ),
        answer=0,
        explanation="Like a score: the better action is not named, and the reward may come long after the action that "
        "earned it. A label names the right answer.",
        lesson="applications",
    ),
    Question(
        name="what-a-policy-is",
        text="What is the **policy** of an agent?",
        choices=(
            "The reward that it wants to reach",
            "The rules of its environment",
            "The sum of its rewards so far",
            "Its way to choose actions",
        ),
        answer=3,
        explanation="For each observation it gives the probability of each action. Rules and rewards belong to the "
        "environment; the expected sum of future rewards is the value.",
        lesson="applications",
    ),
    Question(
        name="never-exploring",
        text="From its first lucky reward on, an agent always takes the action with the highest estimate. What is the "
        "risk?",
        choices=(
            "Its estimates grow without limit",
            "Its rewards become negative",
            "It never finds a better action",
            "It forgets the first reward",
        ),
        answer=2,
        explanation="Actions that it never tries keep a poor estimate, even if they are better. Exploring, such as "
        "epsilon-greedy, tries them now and then.",
        lesson="applications",
    ),
)
