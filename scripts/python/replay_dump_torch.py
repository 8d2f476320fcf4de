#!/usr/bin/env python3
"""`replay_dump.py` with PyTorch: the forward pass written once, the gradient by autograd, clip and Adam by torch.

    python3 scripts/python/replay_dump_torch.py dump.npz
"""

import sys

import torch
from replay_dump import WEIGHTS, batches, check_rollouts, check_training, weights_of
from reverie_dump import load


def train(d, manifest, network):
    p, cell = manifest["training"], manifest["cell"]["awake"][network]
    phi = {
        "relu": torch.relu,
        "tanh": torch.tanh,
        "identity": lambda a: a,
        "leakyRelu": lambda a: torch.nn.functional.leaky_relu(a, manifest["leakySlope"]),
    }[manifest["activation"]]
    start, m, v = (weights_of(d, network, prefix) for prefix in ["", "m_", "v_"])
    w = {name: torch.tensor(start[name], requires_grad=True) for name in WEIGHTS}
    optimiser = torch.optim.Adam(w.values(), betas=(p["beta1"], p["beta2"]), eps=p["epsilon"])
    for name in WEIGHTS:
        step = torch.tensor(float(manifest["iteration"]))
        optimiser.state[w[name]] = {"step": step, "exp_avg": torch.tensor(m[name]), "exp_avg_sq": torch.tensor(v[name])}
    losses, norms = [], []
    for i, batch in enumerate(batches(d, network, manifest["iterations"])):
        e0, u, goal, noise = (torch.tensor(x) for x in batch)
        r = e0 @ w["W_enc"].T + w["b_enc"]
        velocity, c, states = torch.zeros_like(r), torch.zeros_like(r), []
        for t in range(len(u)):
            a = r @ w["W_rec"].T + u[t] @ w["W_in"].T + w["b"] - c
            velocity = cell["keep"] * velocity - cell["leak"] * r + cell["gain"] * phi(a) + cell["noise"] * noise[t]
            c = cell["adapt_keep"] * c + cell["adapt_gain"] * r
            r = r + velocity
            states.append(r)
        r = torch.stack(states)
        loss = ((r @ w["W_out"].T + w["b_out"] - goal) ** 2).mean() + p["l2Activity"] * (r**2).mean()
        optimiser.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(w.values(), p["clipNorm"])))
        optimiser.param_groups[0]["lr"] = p["learningRate"][i][network]
        optimiser.step()
        losses.append(loss.item())
    return losses, norms, {name: x.detach().numpy() for name, x in w.items()}


if __name__ == "__main__":
    arrays, manifest = load(sys.argv[1])
    sys.exit(0 if check_training(arrays, manifest, train) and check_rollouts(arrays, manifest) else 1)
