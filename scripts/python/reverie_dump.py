"""Opens what `reverie dump` wrote, one .npz or many with an index: `arrays, manifest = load("dump.npz")`."""

import json
import pathlib

import numpy as np


def load(path):
    """Arrays by name and the manifest. `path`: the .npz, or the .index.json of a dump in several files."""
    path = pathlib.Path(path)
    if path.suffix == ".npz":
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, json.loads(arrays.pop("manifest").tobytes())
    index = json.loads(path.read_text())
    return {name: assemble(path.parent, entry) for name, entry in index["arrays"].items()}, index["manifest"]


def assemble(folder, entry, out=None):
    """One array of an index from its blocks; `out` may be a memory map where it is larger than memory."""
    out = np.empty(entry["shape"], entry["dtype"]) if out is None else out
    for block in entry["blocks"]:
        where = tuple(slice(o, o + n) for o, n in zip(block["origin"], block["shape"]))
        with np.load(folder / block["file"]) as file:
            out[where] = file[block["member"]]
    return out


def maps(d, network, prefix=""):
    """The cell, the readout and the encoder of a network as matrices whose last column is the bias."""
    parts = ["W_rec", "W_in", "b"], ["W_out", "b_out"], ["W_enc", "b_enc"]
    return [np.column_stack([d[prefix + name][network] for name in own]).astype(float) for own in parts]


def report(what, error, tolerance):
    """Prints an error and whether it is within its tolerance; returns that."""
    print(f"{what:40} error {error:8.1e}  tolerance {tolerance:.0e}  {'' if error <= tolerance else 'WRONG'}")
    return bool(error <= tolerance)
