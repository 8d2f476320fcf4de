"""Writes scripts/examples/flip-flop.npz, the example of task.kind tensors: three bits to be remembered.

Every trial begins with three bits, e0. Now and then a pulse of +1 or -1 arrives in one of the inputs, and the readout of
that channel has to keep its sign until the next one. The two steps after a pulse, in which the network changes its mind,
weigh nothing.

    python scripts/python/make_tensors_example.py
"""

from pathlib import Path

import numpy as np

TRIALS, T, BITS = 192, 24, 3
PULSES_PER_STEP = 0.08
REACTION = 2

rng = np.random.default_rng(1)
e0 = rng.choice([-1.0, 1.0], (TRIALS, BITS))
pulse = rng.random((TRIALS, T, BITS)) < PULSES_PER_STEP
u = np.where(pulse, rng.choice([-1.0, 1.0], (TRIALS, T, BITS)), 0.0)
target = np.empty((TRIALS, T, BITS))
mask = np.ones((TRIALS, T))
bits = e0.copy()
for t in range(T):
    bits = np.where(u[:, t] != 0, u[:, t], bits)
    target[:, t] = bits
    mask[(u[:, t] != 0).any(axis=1), t : t + REACTION] = 0

arrays = {"u": u, "e0": e0, "target": target, "mask": mask}
path = Path(__file__).parents[1] / "examples" / "flip-flop.npz"
# Of numbers as short as these float16 loses nothing.
np.savez(path, **{name: a.astype("f2") for name, a in arrays.items()})
print(path, path.stat().st_size, "bytes")
