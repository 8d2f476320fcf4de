#!/usr/bin/env python3
"""Replays training steps and rollouts of a dump in NumPy (float64) and says how far reverie is from them.

    npx reverie dump RUN --fresh --iterations 10 --out dump.npz
    python3 scripts/python/replay_dump.py dump.npz

Needs nothing but the dump and NumPy. The first lines are the whole model: read them, change them, take them along.
`replay_dump_torch.py` is the same with PyTorch's autograd and Adam. Exits 1 where an error is beyond its tolerance.
"""

import sys

import numpy as np
from reverie_dump import load

WEIGHTS = ["W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc"]


def rollout(w, cell, phi, r, v, c, noise, drive=None):
    """States r, v, c and pre-activations of every step, (T+1 or T, rows, N). `drive`: W_in u_t, (T, rows, N)."""
    states, pre = [(r, v, c)], []
    for t in range(len(noise)):
        a = r @ w["W_rec"].T + w["b"] - c + (0 if drive is None else drive[t])
        v = cell["keep"] * v - cell["leak"] * r + cell["gain"] * phi(a) + cell["noise"] * noise[t]
        c = cell["adapt_keep"] * c + cell["adapt_gain"] * r  # the old r
        r = r + v
        states.append((r, v, c))
        pre.append(a)
    return [np.stack(x) for x in zip(*states)] + [np.stack(pre)]


def gradient(w, cell, slope, l2, e0, u, goal, r, a):
    """Loss and its gradient, back through time."""
    difference = r[1:] @ w["W_out"].T + w["b_out"] - goal
    loss = (difference**2).mean() + l2 * (r[1:] ** 2).mean()
    d = 2 * difference / difference.size
    grad = {name: np.zeros_like(w[name]) for name in WEIGHTS}
    dr, dv, dc = np.zeros_like(r[0]), np.zeros_like(r[0]), np.zeros_like(r[0])
    for t in reversed(range(len(a))):
        dr = dr + d[t] @ w["W_out"] + 2 * l2 * r[t + 1] / r[1:].size
        g = dr + dv
        da = cell["gain"] * slope(a[t]) * g
        for name, left, right in [("W_rec", da, r[t]), ("W_in", da, u[t]), ("W_out", d[t], r[t + 1])]:
            grad[name] += left.T @ right
        grad["b"] += da.sum(0)
        grad["b_out"] += d[t].sum(0)
        dr = dr - cell["leak"] * g + da @ w["W_rec"] + cell["adapt_gain"] * dc
        dc, dv = cell["adapt_keep"] * dc - da, cell["keep"] * g
    return loss, grad | {"W_enc": dr.T @ e0, "b_enc": dr.sum(0)}


def adam(w, m, v, grad, step, rate, p):
    """Clips by the global norm, then one step of Adam, in place. `step` counts from 1. Returns the norm."""
    norm = np.sqrt(sum((g**2).sum() for g in grad.values()))
    for name, g in grad.items():
        g = g * min(1, p["clipNorm"] / norm)
        m[name] = p["beta1"] * m[name] + (1 - p["beta1"]) * g
        v[name] = p["beta2"] * v[name] + (1 - p["beta2"]) * g**2
        m_hat, v_hat = m[name] / (1 - p["beta1"] ** step), v[name] / (1 - p["beta2"] ** step)
        w[name] = w[name] - rate * m_hat / (np.sqrt(v_hat) + p["epsilon"])
    return norm


def nonlinearity(manifest):
    """φ and φ′."""
    if manifest["activation"] == "tanh":
        return np.tanh, lambda a: 1 - np.tanh(a) ** 2
    low = {"relu": 0.0, "leakyRelu": manifest["leakySlope"], "identity": 1.0}[manifest["activation"]]
    return lambda a: np.where(a > 0, a, low * a), lambda a: np.where(a > 0, 1.0, low)


def weights_of(d, network, prefix=""):
    return {name: d[prefix + name][network].astype(float) for name in WEIGHTS}


def batches(d, network, iterations):
    """Of each training step e_0, inputs, targets and noise."""
    for i in range(iterations):
        name = "awake" if iterations == 1 else f"awake{i}"
        e0, u, s, noise = (d[f"{name}_{x}"][network].astype(float) for x in ["e0", "u", "positions", "noise"])
        yield e0, u, s[1:], noise


def train(d, manifest, network):
    """Repeats the dump's training steps: losses, norms and the weights after them."""
    p, cell = manifest["training"], manifest["cell"]["awake"][network]
    phi, slope = nonlinearity(manifest)
    w, m, v = (weights_of(d, network, prefix) for prefix in ["", "m_", "v_"])
    losses, norms = [], []
    for i, (e0, u, goal, noise) in enumerate(batches(d, network, manifest["iterations"])):
        r0 = e0 @ w["W_enc"].T + w["b_enc"]
        r, _, _, a = rollout(w, cell, phi, r0, 0 * r0, 0 * r0, noise, u @ w["W_in"].T)
        loss, grad = gradient(w, cell, slope, p["l2Activity"], e0, u, goal, r, a)
        norms.append(adam(w, m, v, grad, manifest["iteration"] + i + 1, p["learningRate"][i][network], p))
        losses.append(loss)
    return losses, norms, w


def check(name, error, tolerance):
    good = error <= tolerance
    print(f"{name:42} error {error:8.1e}  tolerance {tolerance:.0e}  {'' if good else 'WRONG'}")
    return good


def check_training(d, manifest, train=train):
    good = True
    for network in range(len(d["loss"][0])):
        losses, _, w = train(d, manifest, network)
        want = d["loss"][:, network]
        label = f"network {network}, {len(losses)} training steps"
        good &= check(f"{label}: losses", np.abs(want - losses).max() / max(1, np.abs(want).max()), 1e-5)
        end = np.concatenate([d["end_" + name][network].ravel() for name in WEIGHTS])
        mine = np.concatenate([w[name].ravel() for name in WEIGHTS])
        good &= check(f"{label}: weights", np.linalg.norm(mine - end) / np.linalg.norm(end), 1e-4)
    return good


def check_rollouts(d, manifest):
    """Every replay that is there with its states and noise: momentum and adaptation as the condition has them."""
    good = True
    phi, _ = nonlinearity(manifest)
    for name, cells in manifest["cell"]["replay"].items():
        if f"replay_{name}_r" not in d or f"replay_{name}_noise" not in d:
            continue
        for network, cell in enumerate(cells):
            w = weights_of(d, network)
            want = {x: d[f"replay_{name}_{x}"][network].astype(float) for x in ["r", "v", "c", "noise", "y"]}
            r, v, c, _ = rollout(w, cell, phi, want["r"][0], want["v"][0], want["c"][0], want["noise"])
            y = r[1:] @ w["W_out"].T + w["b_out"]
            worst = max(np.abs(x - want[k]).max() for x, k in zip([r, v, c, y], "rvcy"))
            good &= check(f"network {network}, replay {name}", worst / max(1, np.abs(r).max()), 1e-4)
    return good


def main():
    d, manifest = load(sys.argv[1])
    trained = check_training(d, manifest) if "loss" in d and "end_W_rec" in d else True
    return 0 if check_rollouts(d, manifest) and trained else 1


if __name__ == "__main__":
    sys.exit(main())
