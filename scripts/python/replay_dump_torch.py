#!/usr/bin/env python3
"""`replay_dump.py` with PyTorch: the forward pass written once, the gradient by autograd, clip and Adam by torch.

    python3 scripts/python/replay_dump_torch.py dump.npz
"""

import sys
from types import SimpleNamespace as Fields

import torch
from replay_dump import batch, check_rollouts, check_training, slope_of
from reverie_dump import load, maps


def nonlinearity(p):
    return torch.tanh if p["activation"] == "tanh" else lambda a: torch.nn.functional.leaky_relu(a, slope_of(p))


def train(d, p, network):
    cell, o, phi = Fields(**p["cell"]["awake"][network]), Fields(**p["training"]), nonlinearity(p)
    w, m, s = ([torch.tensor(x) for x in maps(d, network, prefix)] for prefix in ["", "m_", "v_"])
    adam = torch.optim.Adam([x.requires_grad_() for x in w], betas=(o.beta1, o.beta2), eps=o.epsilon)
    adam.state.update({x: {"step": torch.tensor(float(p["iteration"])), "exp_avg": f, "exp_avg_sq": g} for x, f, g in zip(w, m, s)})
    affine, losses = lambda x, q: x @ q[:, :-1].T + q[:, -1], []
    for i in range(p["iterations"]):
        e0, u, goal, mask, noise = (torch.tensor(x) for x in batch(d, p, network, i))
        r, v, c, states = affine(e0, w[2]), 0, 0, []
        for t in range(len(u)):
            a = affine(torch.hstack([r, u[t]]), w[0]) - c
            v = cell.keep * v - cell.leak * r + cell.gain * phi(a) + cell.noise * noise[t]
            c = cell.adapt_keep * c + cell.adapt_gain * r
            r = r + v
            states.append(r)
        r = torch.stack(states)
        loss = (mask * (affine(r, w[1]) - goal) ** 2).mean() + o.l2Activity * (r**2).mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w, o.clipNorm)
        adam.param_groups[0]["lr"] = o.learningRate[i][network]
        adam.step()
        losses.append(loss.item())
    return losses, [x.detach().numpy() for x in w]


if __name__ == "__main__":
    arrays, manifest = load(sys.argv[1])
    sys.exit(0 if check_training(arrays, manifest, train) and check_rollouts(arrays, manifest) else 1)
