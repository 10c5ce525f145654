"""Makes the files of `tests/importing/data` with PyTorch, and what PyTorch gives for them.

    python tests/importing/make_torch_files.py

It needs torch (2.13 made the files that are there), numpy and safetensors. The tests only read
them, without PyTorch.
"""

import collections
import io
import pathlib
import pickle
import struct
import sys
import tarfile
import types

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

DATA = pathlib.Path(__file__).parent / "data"
WORDS, STEPS, FEATURES, UNITS = 13, 6, 3, 4


class RNNModel(nn.Module):
    """A language model as in PyTorch's examples: encoder, rnn, decoder."""

    def __init__(self, kind, embedding, hidden, layers, tied=False, dropout=0.2):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(WORDS, embedding)
        self.rnn = getattr(nn, kind)(embedding, hidden, layers, dropout=dropout)
        self.decoder = nn.Linear(hidden, WORDS)
        if tied:
            self.decoder.weight = self.encoder.weight
        self.rnn_type, self.nhid, self.nlayers = kind, hidden, layers

    def forward(self, ids):
        output, _ = self.rnn(self.drop(self.encoder(ids.t())))
        return self.decoder(self.drop(output)).transpose(0, 1)


# A module that nobody can import where the files are read.
gone = types.ModuleType("language_model_of_2018")
gone.RNNModel = RNNModel
sys.modules[gone.__name__] = gone
RNNModel.__module__ = gone.__name__


def no_source(_):
    """Stands for what looks up the source of classes, which old files had in them."""
    raise OSError


torch.serialization.get_source_lines_and_file = no_source


def randomised(module, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.6)
    return module.eval()


def layers():
    """`layers.npz`: recurrent modules of every kind, with inputs and outputs."""
    arrays = {}
    cases = [
        (kind, depth, bidirectional, bias, batch_first)
        for kind in ("LSTM", "GRU", "RNN")
        for depth, bidirectional, bias, batch_first in (
            (1, False, True, True),
            (2, False, True, False),
            (2, True, True, True),
            (1, True, False, False),
        )
    ] + [("RNN_relu", 1, False, True, True)]
    for number, (kind, depth, bidirectional, bias, batch_first) in enumerate(cases):
        more = {"nonlinearity": "relu"} if kind == "RNN_relu" else {}
        module = randomised(
            getattr(nn, kind.partition("_")[0])(
                FEATURES,
                UNITS,
                depth,
                bias=bias,
                batch_first=batch_first,
                bidirectional=bidirectional,
                **more,
            ),
            number,
        )
        x = torch.randn(2, STEPS, FEATURES, generator=torch.Generator().manual_seed(number))
        y, _ = module(x if batch_first else x.transpose(0, 1))
        name = f"{kind}-{depth}-{bidirectional}-{bias}-{batch_first}"
        arrays[f"{name}/x"] = x.numpy()
        arrays[f"{name}/y"] = (y if batch_first else y.transpose(0, 1)).detach().numpy()
        for key, value in module.state_dict().items():
            arrays[f"{name}/weights/{key}"] = value.numpy()
    np.savez_compressed(DATA / "layers.npz", **arrays)


def whole_modules():
    """`module-*.pt`: recurrent modules, pickled whole."""
    for old in (False, True):
        module = randomised(nn.RNN(FEATURES, UNITS, 2, nonlinearity="relu", batch_first=True), 31)
        torch.save(
            module,
            DATA / f"module-{'old' if old else 'new'}.pt",
            _use_new_zipfile_serialization=not old,
        )
    x = torch.randn(2, STEPS, FEATURES, generator=torch.Generator().manual_seed(1))
    np.savez(DATA / "module.npz", x=x.numpy(), y=module(x)[0].detach().numpy())


def language_models():
    """`lm-*`: language models in every form, and `lm.npz` with what they give."""
    ids = torch.randint(0, WORDS, (3, STEPS), generator=torch.Generator().manual_seed(0))
    arrays = {"ids": ids.numpy()}
    made = {
        "lstm": RNNModel("LSTM", 5, 6, 2),
        "gru": RNNModel("GRU", 4, 5, 1),
        "tied": RNNModel("LSTM", 6, 6, 1, tied=True),
        "rnn": RNNModel("RNN", 4, 4, 1),
    }
    for seed, (name, model) in enumerate(made.items()):
        randomised(model, seed + 50)
        arrays[name] = model(ids).detach().numpy()
        torch.save(model, DATA / f"lm-{name}-new.pt")
        torch.save(model, DATA / f"lm-{name}-old.pt", _use_new_zipfile_serialization=False)
    lstm = made["lstm"]
    np.savez(DATA / "lm.npz", **arrays)
    state = lstm.state_dict()
    torch.save(state, DATA / "lm-lstm-state-new.pt")
    torch.save(state, DATA / "lm-lstm-state-old.pt", _use_new_zipfile_serialization=False)
    save_file({key: value.contiguous() for key, value in state.items()}, DATA / "lm.safetensors")
    save_file({"half": torch.tensor([1.5, -2.0]).bfloat16()}, DATA / "bfloat16.safetensors")
    torch.save({"half": torch.tensor([1.5, -2.0]).bfloat16()}, DATA / "bfloat16.pt")
    optimizer = torch.optim.Adam(lstm.parameters())
    lstm(ids).sum().backward()
    optimizer.step()
    lstm.load_state_dict(torch.load(DATA / "lm-lstm-state-new.pt"))
    checkpoint = {"epoch": 3, "model_state_dict": nn.DataParallel(lstm).state_dict()}
    checkpoint["optimizer_state_dict"] = optimizer.state_dict()
    torch.save(checkpoint, DATA / "lm-lstm-checkpoint.pt")
    torch.save([lstm, nn.CrossEntropyLoss(), None], DATA / "lm-lstm-list.pt")
    of_2017(lstm)
    in_a_tar(lstm)


class _Pickler(pickle._Pickler):
    """Pickles as PyTorch 0.3 did: parameters by their class, classes with their source."""

    def __init__(self, file, storages):
        super().__init__(file, protocol=2)
        self.storages, self.has_source = storages, False

    def persistent_id(self, value):
        if isinstance(value, torch.TypedStorage):
            key = str(value._cdata)
            self.storages[key] = value
            view = None
            return ("storage", torch.FloatStorage, key, "cpu", value._size(), view)
        if value is RNNModel and not self.has_source:
            self.has_source = True
            return ("module", value, "model.py", "class RNNModel: ...")
        return None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, nn.Parameter) and id(value) not in self.memo:
            hooks = collections.OrderedDict()
            self.save_reduce(nn.Parameter, (value.data,), (True, False, hooks), obj=value)
            return
        if isinstance(value, torch.Tensor) and id(value) not in self.memo:
            storage = self.storages.setdefault(("of", value.data_ptr()), value.storage())
            args = (storage, value.storage_offset(), tuple(value.size()), value.stride())
            self.save_reduce(torch._utils._rebuild_tensor, args, obj=value)
            return
        super().save(value, save_persistent_id)


def of_2017(model):
    """`lm-lstm-2017.pt`: a whole module in the form of PyTorch 0.3."""
    storages = {}
    with (DATA / "lm-lstm-2017.pt").open("wb") as file:
        for value in (
            0x1950A86A20F9469CFC6C,
            1001,
            {"protocol_version": 1001, "little_endian": True},
        ):
            pickle.dump(value, file, protocol=2)
        _Pickler(file, storages).dump(model)
        keys = sorted(key for key in storages if isinstance(key, str))
        pickle.dump(keys, file, protocol=2)
        for key in keys:
            numbers = np.array(storages[key].tolist(), "<f4")
            file.write(struct.pack("<q", len(numbers)) + numbers.tobytes())
    again = torch.load(DATA / "lm-lstm-2017.pt", weights_only=False)
    assert torch.equal(again.decoder.weight, model.decoder.weight)


def in_a_tar(model):
    """`lm-lstm-tar.pt`: a state dict in the form of PyTorch before 0.1.10."""
    storages, tensors = io.BytesIO(), io.BytesIO()
    state = dict(model.state_dict())
    pickle.dump(len(state), storages, protocol=2)
    pickle.dump(len(state), tensors, protocol=2)
    objects = {}
    for number, value in enumerate(state.values()):
        pickle.dump((number, "cpu", torch.FloatStorage), storages, protocol=2)
        numbers = value.numpy().astype("<f4").ravel()
        storages.write(struct.pack("<q", numbers.size) + numbers.tobytes())
        key = 1000 + number
        pickle.dump((key, number, torch.FloatTensor), tensors, protocol=2)
        tensors.write(struct.pack("<q", value.dim()))
        tensors.write(struct.pack(f"<{2 * value.dim()}q", *value.shape, *value.stride()))
        tensors.write(struct.pack("<q", 0))
        objects[id(value)] = key
    pickle.dump([], storages, protocol=2)
    content = io.BytesIO()

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return str(objects[id(value)]) if isinstance(value, torch.Tensor) else None

    Pickler(content, protocol=2).dump(collections.OrderedDict(state))
    with tarfile.open(DATA / "lm-lstm-tar.pt", "w:", format=tarfile.PAX_FORMAT) as archive:
        for name, file in (
            ("sys_info", io.BytesIO(pickle.dumps({}, 2))),
            ("pickle", content),
            ("tensors", tensors),
            ("storages", storages),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(file.getvalue())
            archive.addfile(info, io.BytesIO(file.getvalue()))
    again = torch.load(DATA / "lm-lstm-tar.pt", weights_only=False)
    assert torch.equal(again["decoder.weight"], model.decoder.weight)


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    layers()
    whole_modules()
    language_models()
