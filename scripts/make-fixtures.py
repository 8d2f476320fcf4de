#!/usr/bin/env python3
"""Writes the .npz fixtures of the unit tests with NumPy; run by hand, output committed.

    python3 scripts/make-fixtures.py

numpy-compressed-trials.npz: given trials, as numpy.savez_compressed leaves them.
numpy-arrays.npz, numpy-compressed.npz: every element type that is read, odd shapes, a scalar, empty arrays.
numpy-arrays.json: the same values as NumPy itself prints them.
numpy-refused.npz: arrays that must be refused, each for a reason of its own.
"""

import io
import json
import pathlib
import zipfile

import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures"

ARRAYS = {
    "float32": (np.arange(3 * 5 * 7, dtype="<f4").reshape(3, 5, 7) - 50) / 3,
    "float64": np.array([[0.1, -0.0, 1e300], [np.pi, 5e-324, -2.5]], dtype="<f8"),
    "float16": np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, 0.333], dtype="<f2"),
    "non_finite": np.array([np.nan, np.inf, -np.inf, 1.0], dtype="<f4"),
    "int8": np.array([-128, -1, 0, 127], dtype="i1"),
    "uint8": np.arange(256, dtype="u1").reshape(16, 16),
    "int16": np.array([-32768, 0, 32767], dtype="<i2"),
    "uint16": np.array([0, 65535], dtype="<u2"),
    "int32": np.array([[-(2**31)], [2**31 - 1]], dtype="<i4"),
    "uint32": np.array([0, 2**32 - 1], dtype="<u4"),
    "int64": np.array([-(2**63), 2**53 + 1, 2**63 - 1], dtype="<i8"),
    "uint64": np.array([0, 2**64 - 1], dtype="<u8"),
    "bool": np.array([[True, False, True]]),
    "scalar": np.float32(2.5),
    "empty": np.zeros((0,), dtype="<f4"),
    "empty_axis": np.zeros((3, 0, 5), dtype="<f8"),
    "one": np.ones((1, 1, 1, 1, 1), dtype="<f4"),
    "prime": np.arange(13 * 17, dtype="<u4").reshape(13, 17),
    "größe": np.array([1.5], dtype="<f4"),
}

REFUSED = {
    "fortran": np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">f4"),
    "object": np.array([{"a": 1}, None], dtype=object),
    "text": np.array(["left", "right"]),
    "complex": np.array([1 + 2j], dtype="<c8"),
    "record": np.array([(1, 2.0)], dtype=[("trial", "<i4"), ("speed", "<f4")]),
}


def printed(array):
    """Values as JSON holds them exactly: 64-bit integers and non-finite floats as text."""
    array = np.asarray(array)
    kind = array.dtype.kind
    as_text = array.dtype.itemsize == 8 and kind in "iu" or kind == "f" and not np.isfinite(array).all()
    values = [str(x) if as_text else x for x in array.ravel().tolist()]
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": values}


def version_2(array):
    """A .npy with the 32-bit header length that NumPy uses for long headers."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(2, 0))
    return buffer.getvalue()


FIXTURES.mkdir(parents=True, exist_ok=True)
np.savez(FIXTURES / "numpy-arrays.npz", **ARRAYS)
np.savez_compressed(FIXTURES / "numpy-compressed.npz", **ARRAYS)
np.savez_compressed(
    FIXTURES / "numpy-compressed-trials.npz",
    u=np.zeros((4, 50, 2), "f4"),
    e0=np.zeros((4, 2), "f4"),
    target=np.zeros((4, 50, 1), "f4"),
)
np.savez(FIXTURES / "numpy-refused.npz", **REFUSED)
with zipfile.ZipFile(FIXTURES / "numpy-version-2.npz", "w") as archive:
    archive.writestr(zipfile.ZipInfo("prime.npy"), version_2(ARRAYS["prime"]))
with open(FIXTURES / "numpy-arrays.json", "w") as file:
    json.dump({name: printed(array) for name, array in ARRAYS.items()}, file, indent=0)
    file.write("\n")
