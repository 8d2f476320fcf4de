#!/usr/bin/env python3
"""Is the model that reverie computes on the GPU the one you know? Compares them on a random case.

    python3 scripts/python/check_evaluate.py --units 40 --batch 9 --steps 30 --activation tanh

Writes the case, runs `reverie evaluate` on it and compares states, readout, loss and gradients with the model below,
which is written for NumPy and PyTorch alike and run in float64. Gradients come from PyTorch's autograd where it is
installed, else from `backward`, which is written out by hand. Prints every array's error; exits 1 where one is beyond
its tolerance. Needs NumPy alone.
"""

import argparse
import pathlib
import shlex
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIGHTS = ["W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc"]
SIZES = ["units", "inputs", "outputs", "encoder_inputs", "batch", "steps"]

# What float32 can reach against float64: states by the largest error, gradients by the norm of the error.
STATE_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 2e-5


def make_case(p):
    """A random network, its input and its target. A loop gain near 1 keeps r of order 1 for any number of steps."""
    rng = np.random.default_rng(p.seed)
    N, I, O, E, B, T = (getattr(p, name) for name in SIZES)
    normal = lambda *shape: rng.standard_normal(shape)
    case = {
        "W_rec": normal(N, N) * 0.8 / np.sqrt(N),
        "W_in": normal(N, I) * 0.5 / np.sqrt(I),
        "b": normal(N) * 0.1,
        "W_out": normal(O, N) / np.sqrt(N),
        "b_out": normal(O) * 0.1,
        "W_enc": normal(N, E) / np.sqrt(E),
        "b_enc": normal(N) * 0.1,
        "e0": normal(B, E),
        "u": normal(T, B, I),
    }
    if p.mask:
        case["mask"] = (rng.random((T, B)) < 0.3).astype(float)
    if p.noise:
        case["noise"] = normal(T, B, N) * 0.05
    if p.target:
        case["target"] = normal(T, B, O)
    return {name: array.astype(p.dtype) for name, array in case.items()}


def phi(a, p, xp):
    """The nonlinearity."""
    if p.activation == "tanh":
        return xp.tanh(a)
    slope = {"relu": 0.0, "leakyRelu": p.leaky_slope, "identity": 1.0}[p.activation]
    return xp.where(a > 0, a, slope * a)


def rollout(case, p, xp=np):
    """The model. Returns r, v, c (T+1,B,N), the readout y of r_1 … r_T (T,B,O) and the pre-activations a (T,B,N)."""
    W = {name: case[name] for name in WEIGHTS}
    r = case["e0"] @ W["W_enc"].T + W["b_enc"]
    v, c = xp.zeros_like(r), xp.zeros_like(r)
    states, pre = [(r, v, c)], []
    for t in range(len(case["u"])):
        u = case["u"][t]
        if "mask" in case:
            u = u * case["mask"][t][:, None]
        a = r @ W["W_rec"].T + u @ W["W_in"].T + W["b"] - c
        v = (1 - p.friction) * v - p.leak * r + p.gain * phi(a, p, xp)
        if "noise" in case:
            v = v + case["noise"][t]
        c = (1 - 1 / p.adapt_tau) * c + (p.adapt_strength / p.adapt_tau) * r  # the old r
        r = r + v
        states.append((r, v, c))
        pre.append(a)
    r, v, c = (xp.stack(x) for x in zip(*states))
    return r, v, c, r[1:] @ W["W_out"].T + W["b_out"], xp.stack(pre)


def loss_of(r, y, case, p):
    return ((y - case["target"]) ** 2).mean() + p.l2_activity * (r[1:] ** 2).mean()


def backward(case, p, r, y, a):
    """The gradient of the loss by each weight, back through time by hand."""
    W = {name: case[name] for name in WEIGHTS}
    grad = {name: np.zeros_like(W[name]) for name in WEIGHTS}
    if p.activation == "tanh":
        slope = 1 - np.tanh(a) ** 2
    else:
        slope = np.where(a > 0, 1.0, {"relu": 0.0, "leakyRelu": p.leaky_slope, "identity": 1.0}[p.activation])
    d = 2 * (y - case["target"]) / y.size
    dr, dv, dc = (np.zeros_like(r[0]) for _ in range(3))
    for t in reversed(range(len(a))):
        dr = dr + d[t] @ W["W_out"] + p.l2_activity * 2 * r[t + 1] / r[1:].size
        g = dr + dv
        da = p.gain * slope[t] * g
        u = case["u"][t] * (case["mask"][t][:, None] if "mask" in case else 1)
        grad["W_rec"] += da.T @ r[t]
        grad["W_in"] += da.T @ u
        grad["b"] += da.sum(0)
        grad["W_out"] += d[t].T @ r[t + 1]
        grad["b_out"] += d[t].sum(0)
        dr = dr - p.leak * g + da @ W["W_rec"] + (p.adapt_strength / p.adapt_tau) * dc
        dc = (1 - 1 / p.adapt_tau) * dc - da
        dv = (1 - p.friction) * g
    grad["W_enc"] = dr.T @ case["e0"]
    grad["b_enc"] = dr.sum(0)
    return grad


def autograd(case, p, torch):
    """The same gradient by PyTorch, which knows nothing of `backward`."""
    case = {name: torch.tensor(array, requires_grad=name in WEIGHTS) for name, array in case.items()}
    r, _, _, y, _ = rollout(case, p, torch)
    loss_of(r, y, case, p).backward()
    return {name: case[name].grad.numpy() for name in WEIGHTS}


def expected(case, p, torch=None):
    """Everything that `reverie evaluate` writes, in float64, and the pre-activations."""
    # reverie computes in float32, so its first step is to round the case.
    case = {name: array.astype(np.float32).astype(np.float64) for name, array in case.items()}
    r, v, c, y, a = rollout(case, p)
    out = {"r": r, "v": v, "c": c, "y": y}
    if "target" in case:
        out["loss"] = loss_of(r, y, case, p)
        grads = autograd(case, p, torch) if torch else backward(case, p, r, y, a)
        out |= {f"grad_{name}": grads[name] for name in WEIGHTS}
    return out, a


def evaluate_flags(p):
    names = ["leak", "gain", "friction", "adapt_strength", "adapt_tau", "activation", "leaky_slope", "l2_activity"]
    flags = [f"--{name.replace('_', '-')}={getattr(p, name)}" for name in names]
    return flags + ([f"--plan-kind={p.plan_kind}"] if p.plan_kind else [])


def run_reverie(case, p):
    with tempfile.TemporaryDirectory() as folder:
        given, written = f"{folder}/case.npz", f"{folder}/out.npz"
        np.savez(given, **case)
        command = [*shlex.split(p.reverie), "evaluate", f"--case={given}", f"--out={written}", *evaluate_flags(p)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with np.load(written) as found:
            return {name: found[name] for name in found.files}


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, size in zip(SIZES, [32, 2, 2, 2, 8, 30]):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=size)
    for name, value in [("leak", 0.2), ("gain", 0.2), ("friction", 0.6), ("adapt-strength", 0.7), ("adapt-tau", 8.0)]:
        parser.add_argument(f"--{name}", type=float, default=value)
    parser.add_argument("--activation", choices=["relu", "leakyRelu", "tanh", "identity"], default="relu")
    parser.add_argument("--leaky-slope", type=float, default=0.01)
    parser.add_argument("--l2-activity", type=float, default=0.0)
    for name in ["mask", "noise", "target"]:
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="of the case's file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plan-kind", choices=["step", "own-row"])
    parser.add_argument("--reverie", default="npx reverie", help="the command to check (default: npx reverie)")
    parser.add_argument("--torch", action=argparse.BooleanOptionalAction, default=True, help="use PyTorch if installed")
    return parser.parse_args(argv)


def main():
    p = parse()
    torch = None
    if p.torch:
        try:
            import torch
        except ImportError:
            pass
    case = make_case(p)
    want, a = expected(case, p, torch)
    found = run_reverie(case, p)
    print(f"gradients by {'PyTorch ' + torch.__version__ if torch else 'backward() of this file'}")
    scale = max(1.0, np.abs(want["r"]).max())
    wrong = 0
    for name, value in want.items():
        value = np.asarray(value)
        if found[name].shape != value.shape:
            sys.exit(f"{name}: shape {found[name].shape}, should be {value.shape}")
        difference = found[name] - value
        if name.startswith("grad_"):
            error, tolerance = np.linalg.norm(difference) / max(np.linalg.norm(value), 1e-30), GRADIENT_TOLERANCE
        else:
            error, tolerance = np.abs(difference).max() / scale, STATE_TOLERANCE
        good = error <= tolerance
        wrong += not good
        print(f"{name:12} {str(value.shape):18} error {error:8.1e}  tolerance {tolerance:.0e}  {'' if good else 'WRONG'}")
    if p.activation in ("relu", "leakyRelu"):
        near = int((np.abs(a) < 1e-5 * max(1.0, np.abs(a).max())).sum())
        if near:
            print(f"{near} of {a.size} pre-activations lie within rounding of the kink, where the gradient may jump")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
