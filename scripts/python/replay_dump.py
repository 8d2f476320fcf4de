#!/usr/bin/env python3
"""Ten training steps of a dump, and its replays, in NumPy: the whole model is `rollout` and `train`.

    npx reverie dump RUN --fresh --iterations 10 --out dump.npz
    python3 scripts/python/replay_dump.py dump.npz

Needs nothing but the dump. Exits 1 where reverie and NumPy (float64) differ by more than the tolerance. Read it, change it,
take it along; `replay_dump_torch.py` is the same with PyTorch's autograd and Adam.
"""

import sys
from types import SimpleNamespace as Fields

import numpy as np
from reverie_dump import load, maps, report


def one(*x):
    """Side by side, with a last column of ones for the bias."""
    return np.hstack([*x, np.ones((len(x[0]), 1))])


def rollout(cell, phi, w, r, u, noise):
    """States r_0 … r_T; what the cell's map saw, and what it gave (a), at each step."""
    r, x, a, v, c = [r], [], [], 0, 0
    for t in range(len(u)):
        x.append(one(r[t], u[t]))
        a.append(x[t] @ w.T - c)
        v = cell.keep * v - cell.leak * r[t] + cell.gain * phi(a[t]) + cell.noise * noise[t]
        c = cell.adapt_keep * c + cell.adapt_gain * r[t]
        r.append(r[t] + v)
    return r, x, a


def train(d, p, network):
    """Repeats the dump's training steps: losses, and the three maps after them."""
    cell, o, (phi, dphi) = Fields(**p["cell"]["awake"][network]), Fields(**p["training"]), nonlinearity(p)
    (w, m, s), losses = [maps(d, network, prefix) for prefix in ["", "m_", "v_"]], []
    for i in range(p["iterations"]):
        e0, u, goal, mask, noise = batch(d, p, network, i)
        r, x, a = rollout(cell, phi, w[0], one(e0) @ w[2].T, u, noise)
        miss = [one(r[t + 1]) @ w[1].T - goal[t] for t in range(len(u))]
        losses.append((mask * np.square(miss)).mean() + o.l2Activity * np.square(r[1:]).mean())
        grad, dr, dv, dc, (rows, units) = [np.zeros_like(q) for q in w], 0, 0, 0, r[0].shape
        for t in reversed(range(len(u))):
            dy = 2 / goal.size * mask[t] * miss[t]
            dr = dr + dy @ w[1][:, :units] + 2 * o.l2Activity / (len(u) * rows * units) * r[t + 1]
            df = dr + dv
            da = cell.gain * dphi(a[t]) * df
            grad[0], grad[1] = grad[0] + da.T @ x[t], grad[1] + dy.T @ one(r[t + 1])
            dr = dr - cell.leak * df + da @ w[0][:, :units] + cell.adapt_gain * dc
            dv, dc = cell.keep * df, cell.adapt_keep * dc - da
        grad[2] = dr.T @ one(e0)
        clip, step = min(1, o.clipNorm / np.sqrt(sum((g**2).sum() for g in grad))), p["iteration"] + i + 1
        m = [o.beta1 * q + (1 - o.beta1) * clip * g for q, g in zip(m, grad)]
        s = [o.beta2 * q + (1 - o.beta2) * (clip * g) ** 2 for q, g in zip(s, grad)]
        rate, correct = o.learningRate[i][network] / (1 - o.beta1**step), 1 - o.beta2**step
        w = [q - rate * f / (np.sqrt(g / correct) + o.epsilon) for q, f, g in zip(w, m, s)]
    return losses, w


def nonlinearity(p):
    """φ and φ′."""
    if p["activation"] == "tanh":
        return np.tanh, lambda a: 1 - np.tanh(a) ** 2
    slope = slope_of(p)
    return lambda a: np.where(a > 0, a, slope * a), lambda a: np.where(a > 0, 1, slope)


def batch(d, p, network, i):
    """What iteration `i` trains on: e0, inputs, targets, weights of their squared errors (1 where the dump has none), noise."""
    name = "awake" if p["iterations"] == 1 else f"awake{i}"
    get = lambda x: d[f"{name}_{x}"][network].astype(float)
    goal = get("target")
    mask = get("mask") if f"{name}_mask" in d else np.ones_like(goal)
    return get("e0"), get("u") if f"{name}_u" in d else goal[..., :0], goal, mask, get("noise")


def slope_of(p):
    """φ′ below 0, of the nonlinearities that are linear on both sides."""
    return {"relu": 0, "leakyRelu": p["leakySlope"], "identity": 1}[p["activation"]]


def check_training(d, p, train=train):
    good = True
    for network in range(len(p["networks"])):
        losses, w = train(d, p, network)
        label, want, end = f"network {network}, {len(losses)} training steps", d["loss"][:, network], maps(d, network, "end_")
        mine, theirs = (np.concatenate([q.ravel() for q in x]) for x in [w, end])
        good &= report(f"{label}: losses", np.abs(want - losses).max() / max(1, np.abs(want).max()), 1e-5)
        good &= report(f"{label}: weights", np.linalg.norm(mine - theirs) / np.linalg.norm(theirs), 1e-4)
    return good


def check_rollouts(d, p):
    """Every replay that is there with its states and noise, with the condition's momentum and adaptation."""
    good = True
    for name, cells in p["cell"]["replay"].items():
        for network, cell in enumerate(cells if f"replay_{name}_noise" in d else []):
            w, (want, noise, y) = maps(d, network), (d[f"replay_{name}_{x}"][network] for x in ["r", "noise", "y"])
            inputs = np.zeros((*noise.shape[:2], w[0].shape[1] - w[0].shape[0] - 1))
            r, _, _ = rollout(Fields(**cell), nonlinearity(p)[0], w[0], want[0].astype(float), inputs, noise)
            worst = max(np.abs(r - want).max(), np.abs([one(x) @ w[1].T for x in r[1:]] - y).max())
            good &= report(f"network {network}, replay {name}", worst / max(1, np.abs(want).max()), 1e-4)
    return good


if __name__ == "__main__":
    arrays, manifest = load(sys.argv[1])
    trained = check_training(arrays, manifest) if "loss" in arrays else True
    sys.exit(0 if check_rollouts(arrays, manifest) and trained else 1)
