"""`language/chat`: the conversations that it learns from, what its runner remembers, and published weights."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from llama_samples import SHAPE, finished, publish, small_llama
from shipped import trained_config

import layerwise
from layerwise import jobs
from layerwise.errors import WeightsError
from layerwise.evaluation import evaluate
from layerwise.fetching import fetch
from layerwise.fine_tuning import usual_config
from layerwise.runner import last_answer, make_runner
from layerwise.text.tokenization import tokenizer_of
from layerwise.versions import VersionStore
from layerwise.weights import read_record
from layerwise_language.chat import CHAT, WEIGHTS
from layerwise_language.llama import LlamaConfig
from layerwise_language.llama import runner as llama_runner
from layerwise_language.llama.runner import LlamaRunner
from layerwise_language.persona_chat import PERSONA_CHAT, messages_of, read

TEMPLATE = (
    "{% for m in messages %}<begin>{{ m.role }}\n{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<begin>assistant\n{% endif %}"
)
BAR = 4.5
"""The perplexity of a token that the shipped weights have at most on conversations that they were not trained on."""


def test_turns_of_two_people_become_messages():
    text = (
        "User 1: Hi, I'm [User 1's name].\n* User 2: Hello [user 1], I'm (name).\n\n[Later]\n* * *\n"
        "User 1: Do you\nlike cats?\nUser 2: No."
    )
    assert messages_of(text) == (
        {"role": "user", "content": "Hi, I'm Alex."},
        {"role": "assistant", "content": "Hello Alex, I'm Sam."},
        {"role": "user", "content": "Do you"},
    )
    assert messages_of("User 1: a\nUser 1: b\nUser 2: I live in [city].\nUser 1: c") == (
        {"role": "user", "content": "a b"},
    )


def test_a_conversation_is_on_one_side(tmp_path):
    lines = ["user 1 personas,user 2 personas,Best Generated Conversation"]
    for number in range(60):
        turns = "\n".join(f"User {1 + n % 2}: turn {n} of {number % 50}" for n in range(6))
        lines.append(f'a,b,"{turns}"')
    lines.append('a,b,"User 1: too\nUser 2: short"')
    (tmp_path / "a.csv").write_text("\n".join(lines))
    splits = read({"a.csv": tmp_path / "a.csv"})
    assert sum(map(len, splits.values())) == 60
    assert 0 < len(splits["test"]) < 20
    train, test = ({messages[0]["content"] for messages in splits[name].inputs} for name in ("train", "test"))
    assert not train & test


@pytest.mark.parametrize("source", PERSONA_CHAT.sources, ids=lambda source: source.name)
def test_the_files_are_named(source):
    assert source.licence == "CC-BY-4.0"
    assert all(file.url.startswith("https://") for file in source.files) == (source.name == "csv")


def talking(folder, **changes):
    """A small network that was taught to talk, as it is published."""
    llama = small_llama(max_position_embeddings=96, **changes)
    publish(llama, folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": "<begin>", "eos_token": {"content": "<end>"}})
    )
    return folder


@pytest.fixture
def versions(home):
    return VersionStore(home)


@pytest.fixture
def published(tmp_path, versions):
    """A fetched version of it."""
    return fetch(versions, CHAT, "published", str(talking(tmp_path / "network")))


def test_a_published_network_becomes_a_version(published, versions):
    assert published.id == "fetched"
    assert versions.current(CHAT, "published").reference == published.reference
    config, task = published.config, published.task
    assert isinstance(config, LlamaConfig)
    assert (config.hidden_size, config.num_hidden_layers, config.context) == (48, 3, 96)
    assert (config.rope_theta, config.tie_word_embeddings) == (SHAPE.rope_theta, True)
    assert (task.vocabulary, task.stop_tokens, task.eos_token, task.bos_token) == (300, (5,), "<end>", "<begin>")
    tokens = task.prompt_of({"message": "the cat <end>"}, 96).tokens
    text = tokenizer_of(task.tokenizer).decode(list(tokens), skip_special_tokens=False)
    assert text == "<begin>user\nthe cat < end><end>\n<begin>assistant\n"


@pytest.mark.slow
def test_it_answers_with_the_published_weights(published):
    runner = make_runner(CHAT, published)
    assert isinstance(runner, LlamaRunner)
    runner.warm()
    inputs = {"message": "the cat", "temperature": 0, "repetition_penalty": 1, "max_tokens": 12}
    answer = last_answer(runner.run(inputs, None, threading.Event()))
    tokens = list(published.task.prompt_of(inputs, 84).tokens)
    expected, model = [], small_llama(max_position_embeddings=96).whole()
    while len(expected) < 12:
        token = int(np.asarray(model(np.array([tokens + expected], "int32")))[0, -1].argmax())
        if token == 5:
            break
        expected.append(token)
    assert answer["reply"] == tokenizer_of(published.task.tokenizer).decode(expected).strip()


@pytest.mark.slow
def test_a_conversation_that_goes_on_is_not_read_again(published, monkeypatch):
    runner = make_runner(CHAT, published)
    read = []
    compiled = runner._read

    def counted(inputs):
        read.append(len(inputs["tokens"]) if len(inputs["tokens"]) == 1 else int(inputs["last"][0]) + 1)
        return compiled(inputs)

    monkeypatch.setattr(runner, "_read", counted)
    settings = {"temperature": 0, "max_tokens": 4}

    def say(message, history=()):
        read.clear()
        inputs = {"message": message, "history": list(history), **settings}
        return last_answer(runner.run(inputs, None, threading.Event()))["reply"]

    reply = say("the cat sat on the mat")
    first = sum(read)
    history = [{"role": "user", "content": "the cat sat on the mat"}, {"role": "assistant", "content": reply}]
    say("and the dog", history)
    assert sum(read) < first + 10
    # Others who talk meanwhile have texts of their own, and no more than a few are kept.
    for number in range(llama_runner.KEPT + 3):
        say(f"{number} dogs")
    assert len(runner._free) == llama_runner.KEPT


@pytest.mark.slow
def test_several_talk_at_a_time(published):
    runner = make_runner(CHAT, published)
    texts = ["the cat", "the dog sat", "on the mat", "in 1984"]
    settings = {"temperature": 0, "max_tokens": 8}
    expected = [
        last_answer(make_runner(CHAT, published).run({"message": t, **settings}, None, threading.Event()))
        for t in texts
    ]
    found = {}

    def say(number):
        inputs = {"message": texts[number], **settings}
        found[number] = last_answer(runner.run(inputs, None, threading.Event()))

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(4)] == expected


def test_a_reply_can_be_stopped(published):
    runner, cancelled = make_runner(CHAT, published), threading.Event()
    growing = iter(runner.run({"message": "the cat", "max_tokens": 60, "seed": 1}, None, cancelled))
    next(growing)
    cancelled.set()
    assert len(list(growing)) <= 2
    assert len(runner._free) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "chat_template.jinja").unlink(), "not taught to talk"),
        (lambda folder: (folder / "config.json").unlink(), "cannot be read"),
        (lambda folder: (folder / "model-00001-of-00001.safetensors").write_bytes(b"no"), "no safetensors"),
    ],
)
def test_what_cannot_be_used_is_refused_and_the_former_stays(tmp_path, versions, published, change, said):
    folder = talking(tmp_path / "other", num_hidden_layers=2)
    change(folder)
    with pytest.raises(WeightsError, match=said):
        fetch(versions, CHAT, "published", str(folder))
    assert versions.current(CHAT, "published").config.num_hidden_layers == 3


class Hub(BaseHTTPRequestHandler):
    """The hub, as far as it is asked: what a repository holds, and its files."""

    folder: Path
    SHA = "0" * 40

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = self.path.partition("?")[0]
        content, headers = b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"}
        if path == "/api/models/tiny/talker":
            files = [{"rfilename": file.name, "size": file.stat().st_size} for file in sorted(self.folder.iterdir())]
            content = json.dumps({"id": "tiny/talker", "sha": self.SHA, "siblings": files}).encode()
            headers = {"Content-Type": "application/json"}
        elif path.startswith("/tiny/talker/resolve/main/"):
            content = (self.folder / Path(path).name).read_bytes()
            headers = {"X-Repo-Commit": self.SHA, "ETag": f'"{Path(path).name}"'}
        self.send_response(404 if "X-Error-Code" in headers else 200)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
            self.requested.append(Path(path).name)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, home):
    """A hub on this machine, and how a command asks it."""
    folder = talking(tmp_path / "network")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    handler = type("HubOfTheTest", (Hub,), {"folder": folder, "requested": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "LAYERWISE_HOME": str(home),
        "CUDA_VISIBLE_DEVICES": "-1",
    }

    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "layerwise_app.cli", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    yield command, server, handler.requested
    server.shutdown()


@pytest.mark.slow
def test_a_network_comes_from_the_hub_and_talks(hub, home):
    command, server, requested = hub
    done = command("fetch", "language/chat:published", "--from", "tiny/talker")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "model-00001-of-00001.safetensors" in requested
    assert "pytorch_model.bin" not in requested
    done = command("predict", "language/chat:published", "the cat")
    assert done.returncode == 0, done.stderr
    done = command("fetch", "language/chat:published", "--from", "tiny/nobody")
    assert done.returncode != 0
    assert "The hub does not give tiny/nobody" in done.stderr + done.stdout
    # What was downloaded once is there without the hub.
    server.shutdown()
    server.server_close()
    done = command("fetch", "language/chat:published", "--from", "tiny/talker")
    assert done.returncode == 0, done.stderr + done.stdout
    done = command("fetch", "language/chat:published", "--from", "tiny/other")
    assert "is not on this machine, and the hub cannot be reached" in " ".join((done.stderr + done.stdout).split())


@pytest.mark.slow
def test_a_published_network_is_fine_tuned_on_own_conversations(published, home, tmp_path):
    lines = [f"the cat {n},the dog sat there in {n}" for n in range(1900, 1960)]
    (tmp_path / "talks.csv").write_text("\n".join(["message,reply", *lines]))
    with layerwise.open_workspace(home) as workspace:
        before = evaluate(workspace, "language/chat:published", data=tmp_path / "talks.csv")["metrics"]
        config = replace(usual_config(CHAT.variant("published"), published), num_epochs=4, learning_rate=0.02)
        assert config.lora_rank == 8
        run = jobs.start(
            workspace.runs,
            CHAT,
            variant="published",
            config=config,
            data=tmp_path / "talks.csv",
            start_from=published,
        )
        workspace.versions.promote(CHAT, finished(run))
        after = evaluate(workspace, "language/chat:published", data=tmp_path / "talks.csv")["metrics"]
    assert after["perplexity"] < before["perplexity"] / 10


def test_the_shipped_weights_meet_the_bar(home):
    record = read_record(WEIGHTS)
    assert record["measured"]["metrics"]["perplexity"] <= BAR
    assert trained_config(record, CHAT.variant("small")) == CHAT.variant("small").config
    with layerwise.open_workspace(home) as workspace:
        inputs = {"message": "Hi! How are you?", "temperature": 0}
        assert len(workspace.predictor.predict("language/chat", inputs)["reply"].split()) >= 2
