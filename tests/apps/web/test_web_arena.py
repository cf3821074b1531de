"""An agent that is watched, and a visitor who plays: the web socket, and what the page draws for it."""

import io
import json
import threading

import pytest
from PIL import Image

ADDRESS = "/api/v1/play/rl/cartpole"


def unpacked(message):
    """What was said, and the picture, if there is one."""
    length = int.from_bytes(message[:4], "little")
    said, picture = json.loads(message[4 : 4 + length]), message[4 + length :]
    return said, Image.open(io.BytesIO(picture)) if picture else None


def steps(socket, until=lambda said: said.get("ended"), most=1200):
    """What is said up to the one that is waited for."""
    found = []
    for _ in range(most):
        said, _ = unpacked(socket.receive_bytes())
        found.append(said)
        if until(said):
            return found
    raise AssertionError(found[-1])


@pytest.mark.slow
def test_an_agent_is_watched(client):
    with client.websocket_connect(ADDRESS) as socket:
        about = unpacked(socket.receive_bytes())[0]["about"]
        assert about["actions"] == ["push left", "push right"]
        assert [item["epoch"] for item in about["milestones"]][:2] == [0, 2]
        assert about["milestones"][-1]["measured_return"] == 500
        said, picture = unpacked(socket.receive_bytes())
        assert said["began"]
        assert picture.size == (600, 400)
        found = steps(socket, lambda said: said["length"] >= 60)
        assert [said["total"] for said in found] == [said["length"] for said in found]
        assert not any(said["own"] for said in found)
        assert all(sum(said["probabilities"]) == pytest.approx(1, abs=0.01) for said in found)


def test_a_visitor_plays_and_loses(client):
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_text(json.dumps({"own": True, "action": 0}))
        last = steps(socket, lambda said: said.get("ended") and said.get("own"))[-1]
        assert last["length"] < 30
        # Nothing begins by itself while a visitor plays.
        socket.send_text(json.dumps({"again": True, "action": 1}))
        assert unpacked(socket.receive_bytes())[0]["began"]
        assert steps(socket)[-1]["action"] == 1


@pytest.mark.slow
def test_an_agent_that_has_not_learned_is_watched_and_begins_again(client):
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_text(json.dumps({"training": 0}))
        found = steps(socket, lambda said: said.get("ended") and said["length"] < 200)
        assert not found[-1]["own"]
        assert "began" in unpacked(socket.receive_bytes())[0]


@pytest.mark.slow
def test_nothing_is_played_while_it_is_paused(client):
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_text(json.dumps({"paused": True}))
        # What had been done before the message came is sent still.
        told = []
        reading = threading.Thread(target=lambda: told.extend(steps(socket, lambda said: said.get("length", 0) > 40)))
        reading.start()
        reading.join(2.5)
        assert reading.is_alive()
        socket.send_text(json.dumps({"paused": False}))
        reading.join(30)
        assert told[-1]["length"] > 40


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{", "not usable"),
        ("[1]", "not usable"),
        (json.dumps({"action": 7}), "no such action"),
        (json.dumps({"training": 300}), "out of range"),
    ],
)
def test_what_cannot_be_wanted_is_explained(client, message, said):
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_text(message)
        last = steps(socket, lambda found: "error" in found)[-1]
        assert said in last["error"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/api/v1/play/rl/no-such", "no-such"),
        ("/api/v1/play/demo/echo", "plays nothing"),
        (f"{ADDRESS}?version=none", "none"),
        ("/api/v1/play/rl/pong?variant=large", "no weights yet"),
    ],
)
def test_what_cannot_be_played_is_explained(client, address, said):
    with client.websocket_connect(address) as socket:
        assert said in unpacked(socket.receive_bytes())[0]["error"]


def test_another_sites_page_may_not_play(client):
    from starlette.websockets import WebSocketDisconnect

    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(ADDRESS, headers={"origin": "https://elsewhere.example"}),
    ):
        pass


def test_too_many_viewers_are_told(client, monkeypatch):
    monkeypatch.setattr("layerwise_app.web.arena_socket.MOST_VIEWERS", 1)
    with client.websocket_connect(ADDRESS), client.websocket_connect(ADDRESS) as second:
        assert "Too many" in unpacked(second.receive_bytes())[0]["error"]


def test_an_episode_as_a_whole(client):
    answer = client.post("/api/v1/predict/rl/cartpole", json={"inputs": {"episode": 3, "training": 0}}).json()["answer"]
    assert answer["said"].startswith("Return ")
    assert answer["picture"]["name"] == "episode.webp"
    assert answer["picture"]["content"].startswith("data:image/webp;base64,")
    assert [plot["plot"] for plot in answer["course"]] == ["LinePlot", "Heatmap"]
