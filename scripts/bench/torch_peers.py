"""PyTorch on the CPU and, where there is one, on a CUDA device. See torch_model.py for the model itself."""
import os
import platform
import sys

from serve import Skip, serve

try:
    import numpy as np
    import torch
    from torch_model import NAMES, clip, losses, parameters, readout, step_cell, unroll
except ImportError as missing:
    serve(lambda request: (_ for _ in ()).throw(Skip(f"pip install torch numpy ({missing})")))
    sys.exit(0)

# Float32 means float32: reduced products would fail the check against ours, and would not be the same work.
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


class Training:
    """One training step, again and again. `std` = 0 leaves everything in place but the noise."""

    def __init__(self, request, problem, device, std, cell):
        shape = request["shape"]
        self.model, self.std, self.device, self.cell = request["model"], std, device, cell
        self.networks = shape["S"]
        self.p = parameters(problem, shape["S"], device)
        self.u, self.e0, self.target = (torch.tensor(problem[n], device=device) for n in ("u", "e0", "target"))
        lead = (shape["S"],) if shape["S"] > 1 else ()
        self.noise = torch.zeros(*lead, shape["T"], shape["B"], shape["N"], device=device)
        cuda = device.type == "cuda"
        self.adam = torch.optim.Adam(self.p.values(), lr=self.model["learningRate"], fused=True, capturable=cuda)

    def states(self):
        return unroll(self.p, self.u, self.e0, self.noise, self.model, self.cell)

    def loss(self):
        if self.std > 0:
            self.noise.normal_(0, self.std)
        return losses(readout(self.p, self.states()), self.target)

    def backward(self):
        self.adam.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.sum().backward()
        return loss.detach()

    def step(self):
        loss = self.backward()
        clip([p.grad for p in self.p.values()], self.model["clipNorm"])
        self.adam.step()
        return loss

    def grads(self):
        return {n: self.p[n].grad.detach().cpu().numpy().reshape(self.networks, *_own(self, n)) for n in NAMES}


def _own(training, name):
    shape = training.p[name].shape
    return shape[1:] if training.networks > 1 else shape


class RnnTraining(Training):
    """`nn.RNN`: cuDNN's kernels on CUDA. It has no leak and no noise, so this is another model."""

    def __init__(self, request, problem, device, std, cell):
        super().__init__(request, problem, device, 0, cell)
        shape = request["shape"]
        self.rnn = torch.nn.RNN(shape["I"], shape["N"], nonlinearity="relu", bias=True).to(device)
        with torch.no_grad():
            self.rnn.bias_hh_l0.zero_()
        self.rnn.bias_hh_l0.requires_grad_(False)
        for own, name in (("weight_hh_l0", "W_rec"), ("weight_ih_l0", "W_in"), ("bias_ih_l0", "b")):
            parameter = getattr(self.rnn, own)
            with torch.no_grad():
                parameter.copy_(self.p[name])
            self.p[name] = parameter
        cuda = device.type == "cuda"
        self.adam = torch.optim.Adam(self.p.values(), lr=self.model["learningRate"], fused=True, capturable=cuda)

    def states(self):
        r0 = torch.nn.functional.linear(self.e0, self.p["W_enc"], self.p["b_enc"])
        return self.rnn(self.u, r0[None].contiguous())[0]


class FlashTraining(Training):
    """FlashRNN's Elman network (tanh, no leak, no noise): another model, on its fused CUDA kernels in float32."""

    def __init__(self, request, problem, device, std, cell):
        super().__init__(request, problem, device, 0, cell)
        try:
            from flashrnn import flashrnn
        except ImportError as missing:
            raise Skip(f"pip install flashrnn ({missing})") from missing
        self.flashrnn = flashrnn

    def states(self):
        p = self.p
        r0 = torch.nn.functional.linear(self.e0, p["W_enc"], p["b_enc"])
        # Wx (B, T, gates, heads, D); R (gates, heads, D, P); b (gates, heads, D); states (S, B, 1, heads, D)
        wx = torch.nn.functional.linear(self.u, p["W_in"]).transpose(0, 1)[:, :, None, None]
        states, _ = self.flashrnn(
            wx.contiguous(), p["W_rec"][None, None], p["b"][None, None], states=r0[None, :, None, None].contiguous(),
            function="elman", backend="cuda_fused", dtype="float32",
        )
        return states[0, :, :, 0].transpose(0, 1)


class Graphed:
    """A training step as one CUDA graph: no work on the host between its kernels."""

    def __init__(self, training):
        self.training = training
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        kept = [(p, p.detach().clone()) for p in training.p.values()]
        with torch.cuda.stream(aside):
            for _ in range(3):
                training.step()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        training.adam.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            self.loss = training.step()
        with torch.no_grad():
            for p, value in kept:
                p.copy_(value)
            for state in training.adam.state.values():
                for value in state.values():
                    value.zero_()

    def step(self):
        self.graph.replay()
        return self.loss


class Replay:
    """A rollout without input, with noise and readouts, and without gradients."""

    def __init__(self, request, problem, device, std, cell):
        shape = request["shape"]
        self.model, self.std, self.cell = request["model"], std, cell
        self.p = {n: v.detach() for n, v in parameters(problem, 1, device).items()}
        self.r0 = torch.tensor(problem["r0"][0], device=device)
        self.noise = torch.zeros(shape["T"], shape["B"], shape["N"], device=device)
        self.bias = self.p["b"].expand(shape["B"], -1).contiguous()
        self.states = torch.empty_like(self.noise)

    @torch.no_grad()
    def step(self):
        if self.std > 0:
            self.noise.normal_(0, self.std)
        r, w_rec_t = self.r0, self.p["W_rec"].t()
        leak, gain = self.model["leak"], self.model["gain"]
        for noise, state in zip(self.noise.unbind(0), self.states.unbind(0)):
            r = self.cell(r, self.bias, noise, w_rec_t, leak, gain)
            state.copy_(r)
        return readout(self.p, self.states)


class GraphedReplay(Graphed):
    def __init__(self, replay):
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(2):
                replay.step()
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = replay.step()


class Peer:
    def __init__(self, request):
        kind = request["peer"]
        self.request, self.shape = request, request["shape"]
        self.device, threads = device_of(kind)
        self.problem = dict(np.load(request["problem"]))
        cell = torch.compile(step_cell) if "compile" in kind else step_cell
        what = {"rnn": RnnTraining, "flash": FlashTraining}.get(kind.split("-")[2], Training)
        if self.shape["kind"] == "replay":
            if what is not Training:
                raise Skip("it has no leak and no noise to replay with")
            what = Replay
        elif what is not Training and self.shape["S"] > 1:
            raise Skip("it runs one network at a time")
        if what is FlashTraining and self.shape["N"] not in (64, 128, 256, 512, 1024):
            raise Skip(f"no kernel for N = {self.shape['N']}")
        self.make = lambda std: what(request, self.problem, self.device, std, cell)
        self.graphed = "graph" in kind
        self.timed = None
        self.about = {
            "torch": torch.__version__, "python": platform.python_version(), "threads": threads, "blas": blas(),
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU",
        }

    def steps(self, std):
        """What a step is: `.step()`, with the graph around it where asked for."""
        made = self.make(std)
        if not self.graphed:
            return made
        return GraphedReplay(made) if self.shape["kind"] == "replay" else Graphed(made)

    def check(self, out):
        if self.shape["kind"] == "replay":
            still, noisy = self.make(0).step(), self.make(self.request["model"]["noiseStd"]).step()
            np.savez(out, y=self.steps(0).step().cpu().numpy())
            return {"noisySquare": (noisy - still).square().mean().item()}
        once = self.make(0)
        loss = once.backward().tolist()
        np.savez(out, **once.grads())
        checked = self.steps(0)
        for _ in range(3):
            after = checked.step().clone()
        with torch.no_grad():
            noisy = self.make(self.request["model"]["noiseStd"]).loss()
        return {"loss": loss, "lossAfter": after.tolist(), "noisyLoss": noisy.tolist()}

    def run(self, count):
        self.timed = self.timed or self.steps(self.request["model"]["noiseStd"])
        for _ in range(count):
            last = self.timed.step()
        # The host reads the loss, so all of it is done.
        last.flatten()[-1].item()


def device_of(kind):
    if kind.startswith("torch-cpu"):
        threads = int(kind.split("-")[-1])
        torch.set_num_threads(threads)
        if threads > (os.cpu_count() or 1):
            raise Skip(f"this machine has {os.cpu_count()} cores")
        return torch.device("cpu"), threads
    if not torch.cuda.is_available():
        raise Skip("no CUDA device, or a PyTorch built without CUDA")
    return torch.device("cuda"), torch.get_num_threads()


def blas():
    return "MKL" if torch.backends.mkl.is_available() else "OpenBLAS or other"


if __name__ == "__main__":
    serve(Peer)
