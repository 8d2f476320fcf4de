"""Statistics of RatInABox's own motion, for test/physics/motion.test.ts: pip install ratinabox; python3 ratinabox_statistics.py

One rat in the default box of 1 m x 1 m, 0.05 s an update, default constants but for speed_mean = 0.2 m/s. Prints the mean
and the standard error over blocks of 100 s, which are nearly independent.
"""
import json
import sys

import numpy as np
from ratinabox.Agent import Agent
from ratinabox.Environment import Environment

UPDATES = int(sys.argv[1]) if len(sys.argv) > 1 else 240_000
THIGMOTAXIS = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
DT, BURN_IN, BLOCK = 0.05, 40, 2000


def positions(seed: int) -> np.ndarray:
    np.random.seed(seed)
    rat = Agent(Environment(), {"dt": DT, "speed_mean": 0.2, "thigmotaxis": THIGMOTAXIS, "save_history": False})
    out = np.empty((UPDATES, 2))
    for i in range(-BURN_IN, UPDATES):
        rat.update()
        if i >= 0:
            out[i] = rat.pos
    return out


def over_blocks(values: np.ndarray) -> list[float]:
    blocks = values[: len(values) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(1)
    return [float(blocks.mean()), float(blocks.std(ddof=1) / np.sqrt(len(blocks)))]


def statistics(p: np.ndarray) -> dict[str, list[float]]:
    moved = lambda lag: np.linalg.norm(p[lag:] - p[:-lag], axis=1)
    return {
        "wall": over_blocks(np.minimum(p, 1 - p).min(1) < 0.1),
        "step": over_blocks(moved(2)),
        "second": over_blocks(moved(20)),
    }


if __name__ == "__main__":
    print(json.dumps(statistics(positions(1))))
