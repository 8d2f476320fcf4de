"""JAX: the time loop is one `lax.scan` under `jit`; several networks by `vmap` over it."""
import os
import platform
import sys

from serve import Skip, serve

KIND = ""
try:
    import json

    KIND = json.loads(sys.argv[1])["peer"] if len(sys.argv) > 1 else ""
    if KIND.endswith("-cpu"):
        os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import numpy as np
    from jax import numpy as jnp
except ImportError as missing:
    serve(lambda request: (_ for _ in ()).throw(Skip(f"pip install jax ({missing})")))
    sys.exit(0)

# Float32 means float32, on devices that would round products to fewer bits as well.
jax.config.update("jax_default_matmul_precision", "highest")

NAMES = ("W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc")


def states_of(p, r0, xs, noise, model):
    """r_1..r_T (T, B, N)."""
    w_rec_t = p["W_rec"].T

    def cell(r, step):
        x, n = step
        r = (1 - model["leak"]) * r + model["gain"] * jax.nn.relu(r @ w_rec_t + x) + n
        return r, r

    return jax.lax.scan(cell, r0, (xs, noise))[1]


def loss_of(p, data, noise, model):
    r0 = data["e0"] @ p["W_enc"].T + p["b_enc"]
    states = states_of(p, r0, data["u"] @ p["W_in"].T + p["b"], noise, model)
    y = states @ p["W_out"].T + p["b_out"]
    return jnp.mean(jnp.square(y - data["target"]))


def adam_step(p, m, v, g, count, model):
    """Clips by the global norm, then Kingma and Ba's algorithm 1."""
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(x)) for x in jax.tree.leaves(g)))
    factor = jnp.minimum(1.0, model["clipNorm"] / norm)
    g = jax.tree.map(lambda x: factor * x, g)
    m = jax.tree.map(lambda a, x: 0.9 * a + 0.1 * x, m, g)
    v = jax.tree.map(lambda a, x: 0.999 * a + 0.001 * x * x, v, g)
    c1, c2 = 1 - 0.9**count, 1 - 0.999**count
    rate = model["learningRate"]
    p = jax.tree.map(lambda w, a, b: w - rate * (a / c1) / (jnp.sqrt(b / c2) + 1e-8), p, m, v)
    return p, m, v


class Training:
    def __init__(self, request, problem, std):
        shape, model = request["shape"], request["model"]
        networks = shape["S"]
        one = (shape["T"], shape["B"], shape["N"])
        self.p = {n: jnp.asarray(problem[n] if networks > 1 else problem[n][0]) for n in NAMES}
        self.m = jax.tree.map(jnp.zeros_like, self.p)
        self.v = jax.tree.map(jnp.zeros_like, self.p)
        self.count = 0
        # XLA's own generator: much cheaper on devices than the default, and any stream of normals will do.
        self.key = jax.random.key(0, impl="rbg")
        data = {n: jnp.asarray(problem[n]) for n in ("u", "e0", "target")}
        lead = (networks,) if networks > 1 else ()

        def draw(key):
            return std * jax.random.normal(key, (*lead, *one)) if std > 0 else jnp.zeros((*lead, *one))

        value_and_grad = jax.value_and_grad(lambda p, noise: loss_of(p, data, noise, model))

        def whole(p, m, v, key, count):
            noise = draw(key)
            if networks == 1:
                loss, g = value_and_grad(p, noise)
                return *adam_step(p, m, v, g, count, model), loss[None]
            loss, g = jax.vmap(value_and_grad)(p, noise)
            return *jax.vmap(adam_step, (0, 0, 0, 0, None, None))(p, m, v, g, count, model), loss

        self.whole = jax.jit(whole, donate_argnums=(0, 1, 2))
        own = value_and_grad if networks == 1 else jax.vmap(value_and_grad)
        self.once = jax.jit(lambda p, key: own(p, draw(key)))

    def step(self):
        self.count += 1
        self.key, key = jax.random.split(self.key)
        self.p, self.m, self.v, loss = self.whole(self.p, self.m, self.v, key, self.count)
        return loss


class Replay:
    def __init__(self, request, problem, std):
        shape, model = request["shape"], request["model"]
        p = {n: jnp.asarray(problem[n][0]) for n in NAMES}
        r0 = jnp.asarray(problem["r0"][0])
        size = (shape["T"], shape["B"], shape["N"])
        self.key = jax.random.key(0, impl="rbg")

        def whole(key):
            noise = std * jax.random.normal(key, size) if std > 0 else jnp.zeros(size)
            xs = jnp.broadcast_to(p["b"], size)
            return states_of(p, r0, xs, noise, model) @ p["W_out"].T + p["b_out"]

        self.whole = jax.jit(whole)

    def step(self):
        self.key, key = jax.random.split(self.key)
        return self.whole(key)


class Peer:
    def __init__(self, request):
        kind = request["peer"]
        self.request, self.shape = request, request["shape"]
        platform_name = jax.devices()[0].platform
        if not kind.endswith("-cpu") and platform_name == "cpu":
            raise Skip("no device that JAX knows beside the CPU")
        self.problem = dict(np.load(request["problem"]))
        self.make = lambda std: (Replay if self.shape["kind"] == "replay" else Training)(request, self.problem, std)
        self.timed = None
        self.about = {
            "jax": jax.__version__, "python": platform.python_version(), "device": str(jax.devices()[0].device_kind),
        }

    def check(self, out):
        std = self.request["model"]["noiseStd"]
        still = self.make(0)
        if self.shape["kind"] == "replay":
            y = still.step()
            np.savez(out, y=np.asarray(y))
            return {"noisySquare": float(jnp.mean(jnp.square(self.make(std).step() - y)))}
        loss, grads = still.once(still.p, still.key)
        networks = self.shape["S"]
        own = {n: np.asarray(grads[n]) for n in NAMES}
        np.savez(out, **{n: own[n] if networks > 1 else own[n][None] for n in NAMES})
        for _ in range(3):
            after = still.step()
        noisy_run = self.make(std)
        noisy, _ = noisy_run.once(noisy_run.p, noisy_run.key)
        as_list = lambda x: np.atleast_1d(np.asarray(x)).tolist()
        return {"loss": as_list(loss), "lossAfter": as_list(after), "noisyLoss": as_list(noisy)}

    def run(self, count):
        self.timed = self.timed or self.make(self.request["model"]["noiseStd"])
        for _ in range(count):
            last = self.timed.step()
        last.block_until_ready()


if __name__ == "__main__":
    serve(Peer)
