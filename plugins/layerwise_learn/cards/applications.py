"""Cards of the chapter "Applications"."""

from __future__ import annotations

from layerwise import Card

CARDS = (
    Card(
        name="computer-vision-tasks",
        front="Three tasks of **computer vision**: what do classification, detection and segmentation answer?",
        back="Classification: what is in the picture. Detection: what is where, as boxes. Segmentation: which pixel "
        "belongs to what.",
        lesson="applications",
    ),
    Card(
        name="iou",
        front="What is **IoU** (intersection over union)?",
        back="The area that the predicted and the true region share, divided by the area that they cover together. 1 "
        "is a perfect match, 0 no overlap.",
        lesson="applications",
    ),
    Card(
        name="nlp-tasks",
        front="Name four tasks of **natural language processing** (NLP).",
        back="Classifying texts (such as by sentiment), translating, answering questions, and writing on: predicting "
        "the next token again and again.",
        lesson="applications",
    ),
    Card(
        name="tokenizer",
        front="What does a **tokenizer** do?",
        back="It cuts text into tokens, usually pieces of words, and gives each its number in a fixed vocabulary. "
        "Frequent words become one token, rare ones several.",
        lesson="applications",
    ),
    Card(
        name="embedding",
        front="What is an **embedding**?",
        back="A learned vector for each token (or item). Tokens that are used alike get vectors that lie close "
        "together.",
        lesson="applications",
    ),
    Card(
        name="attention",
        front="What does **attention** compute?",
        back=r"A weighted mean of the values $V$ of all positions. The weights say how well the query of this position "
        r"fits each key: $\text{softmax}(QK^\top / \sqrt{d})\,V$.",
        lesson="applications",
    ),
    Card(
        name="transformer",
        front="What is a **transformer** block made of?",
        back="Self-attention, in which each position gathers from the others, then a small dense network on each "
        "position; both with a residual connection and layer normalisation.",
        lesson="applications",
    ),
    Card(
        name="positional-encoding",
        front="Why does a transformer need **positional encodings**?",
        back="Attention treats its inputs as a set: without them, shuffled words would give the same outputs, shuffled "
        "alike. They say where each token stands.",
        lesson="applications",
    ),
    Card(
        name="language-model",
        front="What does a **language model** predict, and where do its targets come from?",
        back="The probabilities of the next token, given those before it. The text itself has the targets, so nobody "
        "has to label it.",
        lesson="applications",
    ),
    Card(
        name="spectrogram",
        front="What is a **spectrogram**, and why is speech often given in this form?",
        back="A picture of sound: time along one axis, frequency along the other, the strength as brightness. Vowels "
        "and consonants become shapes, and it is far smaller than the raw wave.",
        lesson="applications",
    ),
    Card(
        name="speech-tasks",
        front="What are the tasks of **speech recognition** and **speech synthesis**?",
        back="Recognition turns sound into text, synthesis turns text into sound.",
        lesson="applications",
    ),
    Card(
        name="agent-and-environment",
        front="In reinforcement learning, what are **agent**, **observation**, **action** and **reward**?",
        back="The agent is what decides. It gets an observation of its environment, chooses an action, and receives a "
        "reward, a number, and the next observation.",
        lesson="applications",
    ),
    Card(
        name="policy",
        front="What is a **policy**?",
        back="The rule by which an agent acts: for each observation the probability of each action. A policy network "
        "computes it.",
        lesson="applications",
    ),
    Card(
        name="value-and-return",
        front="What are the **return** and the **value** of a state?",
        back=r"The return is the sum of future rewards, later ones discounted: $r_1 + \gamma r_2 + \gamma^2 r_3 + "
        r"\dots$ The value is the return to be expected from a state on.",
        lesson="applications",
    ),
    Card(
        name="q-learning",
        front="What does **Q-learning** learn, and towards which target?",
        back=r"$Q(s, a)$, the return to be expected after action $a$ in state $s$. Its target is $r + \gamma "
        r"\max_{a'} Q(s', a')$: the reward, plus the best that comes next.",
        lesson="applications",
    ),
    Card(
        name="deep-rl",
        front="What is **deep** reinforcement learning?",
        back="Reinforcement learning in which a deep network computes the policy or the values, straight from raw "
        "observations such as the pixels of a game.",
        lesson="applications",
    ),
    Card(
        name="exploration",
        front="Why must an agent **explore**, and what is epsilon-greedy?",
        back=r"Who always does what seems best never learns that something else is better. Epsilon-greedy takes a "
        r"random action with probability $\varepsilon$, otherwise the best one known.",
        lesson="applications",
    ),
    Card(
        name="supervised-and-reinforcement",
        front="How does reinforcement learning differ from supervised learning?",
        back="Nobody gives the right action, only a reward, often long after it. And the data depend on what the agent "
        "does itself.",
        lesson="applications",
    ),
)
