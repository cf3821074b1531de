"""What may be wrong with a folder of published weights: functions that spoil one."""

import json

from safetensors.numpy import load_file, save_file


def change_json(name, **changes):
    def change(folder):
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_arrays(change):
    def changed(folder):
        file = _weights(folder)
        arrays = load_file(file)
        change(arrays)
        save_file(arrays, file)

    return changed


def cut(name):
    def half(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return half


def only_pickle(folder):
    _weights(folder).rename(folder / "pytorch_model.bin")


def index_outside(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../secret.safetensors"}}')


def half_index(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-2.safetensors"}}')


def _weights(folder):
    [file] = folder.glob("model*.safetensors")
    return file
