"""The model in PyTorch, as somebody who cares for speed would write it.

The products with the inputs are one matrix product over all steps, and so is the readout. Steps are taken from stacked
tensors with `unbind`, whose gradient is one `stack`: indexing `x[t]` instead makes autograd add a full-size tensor a
step, and is eleven times slower. Noise is drawn for all steps at once. Several networks share every launch (`baddbmm`).
"""
import torch
from torch.nn import functional as F

NAMES = ("W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc")


def parameters(problem, networks, device):
    """Leaf tensors by name; without the network axis where there is one network only."""
    out = {}
    for name in NAMES:
        value = torch.tensor(problem[name], device=device)
        out[name] = (value if networks > 1 else value[0]).requires_grad_(True)
    return out


def step_cell(r, x, noise, w_rec_t, leak, gain):
    a = torch.addmm(x, r, w_rec_t) if r.dim() == 2 else torch.baddbmm(x, r, w_rec_t)
    return torch.add(torch.add(noise, r, alpha=1 - leak), torch.relu(a), alpha=gain)


def unroll(p, u, e0, noise, model, cell=step_cell):
    """All states r_1..r_T, stacked before the unit axis: (T, B, N), or (S, T, B, N)."""
    many = p["W_rec"].dim() == 3
    steps, batch = u.shape[:2]
    if many:
        r = torch.matmul(e0, p["W_enc"].transpose(1, 2)) + p["b_enc"][:, None]
        x = torch.matmul(u.reshape(steps * batch, -1), p["W_in"].transpose(1, 2)) + p["b"][:, None]
        xs = x.view(x.shape[0], steps, batch, -1).unbind(1)
    else:
        r = F.linear(e0, p["W_enc"], p["b_enc"])
        xs = F.linear(u, p["W_in"], p["b"]).unbind(0)
    w_rec_t = p["W_rec"].transpose(-1, -2)
    states = []
    for x, n in zip(xs, noise.unbind(-3)):
        r = cell(r, x, n, w_rec_t, model["leak"], model["gain"])
        states.append(r)
    return torch.stack(states, -3)


def readout(p, states):
    if p["W_out"].dim() == 2:
        return F.linear(states, p["W_out"], p["b_out"])
    flat = states.flatten(1, 2)
    y = torch.baddbmm(p["b_out"][:, None], flat, p["W_out"].transpose(1, 2))
    return y.view(*states.shape[:3], -1)


def losses(y, target):
    """Mean squared error, one number a network."""
    if y.dim() == 3:
        return F.mse_loss(y, target)[None]
    return (y - target).square().mean((1, 2, 3))


def clip(grads, limit):
    """Scales the gradient of each network to a norm of `limit` at most; in place and without a look from the host."""
    if grads[0].dim() < 3 and not any(g.dim() == 3 for g in grads):
        norm = torch.stack(torch._foreach_norm(grads)).norm()
        torch._foreach_mul_(grads, torch.clamp(limit / norm, max=1.0))
        return
    squares = sum(g.flatten(1).square().sum(1) for g in grads)
    factor = torch.clamp(limit / squares.sqrt(), max=1.0)
    for g in grads:
        g.mul_(factor.view(-1, *([1] * (g.dim() - 1))))
