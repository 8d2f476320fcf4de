/** TensorFlow.js on WebGPU, on the same adapter and Dawn as ours. */
import { createRequire } from "node:module";
import { create, globals } from "webgpu";
import { preloadLocalDriver } from "../../dist/gpu/local-driver.js";
import { readNpz, writeNpz } from "../../dist/io/npz.js";
import { serve, skip } from "./serve.mjs";

const NAMES = ["W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc"];

/** What a browser has and Node has not. Kept for life: Dawn's instance dies with the object. */
function standInForBrowser(adapter) {
  Object.assign(globalThis, globals);
  const gpu = create(adapter ? [`adapter=${adapter}`] : []);
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "" }, configurable: true });
}

async function loadTfjs() {
  const require = createRequire(process.env.REVERIE_PEERS ? `${process.env.REVERIE_PEERS}/` : import.meta.url);
  try {
    const tf = require("@tensorflow/tfjs");
    const webgpu = require("@tensorflow/tfjs-backend-webgpu");
    const version = require("@tensorflow/tfjs/package.json").version;
    await tf.setBackend("webgpu");
    await tf.ready();
    if (tf.getBackend() !== "webgpu") throw skip("TensorFlow.js found no WebGPU");
    return { tf, webgpu, version };
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND" && error.message.includes("@tensorflow"))
      throw skip("npm install --prefix scripts/bench");
    throw error;
  }
}

/**
 * tf.randomNormal draws on the host, in one thread of JavaScript, and uploads. So that this does not decide the
 * comparison, noise comes from a kernel of the backend's own kind: a hash (pcg4d) and Box–Muller, two normals a call.
 */
function noiseProgram({ webgpu_util: util }, shape) {
  const workgroupSize = [64, 1, 1];
  const dispatchLayout = util.flatDispatchLayout(shape);
  return {
    variableNames: [],
    outputShape: shape,
    uniforms: "sigma : f32, seed : i32,",
    workgroupSize,
    size: true,
    shaderKey: "reverie_bench_noise",
    dispatchLayout,
    dispatch: util.computeDispatch(dispatchLayout, shape, workgroupSize),
    getUserCode: () => `
      fn pcg4d(start : vec4<u32>) -> vec4<u32> {
        var v = start * 1664525u + 1013904223u;
        v += vec4<u32>(v.y * v.w, v.z * v.x, v.x * v.y, v.y * v.z);
        v = v ^ (v >> vec4<u32>(16u));
        v += vec4<u32>(v.y * v.w, v.z * v.x, v.x * v.y, v.y * v.z);
        return v;
      }
      fn main(index : i32) {
        if (index < uniforms.size) {
          let w = pcg4d(vec4<u32>(u32(index), u32(uniforms.seed), 7u, 11u));
          let u = (vec2<f32>(w.xy >> vec2<u32>(9u)) + 0.5) / 8388608.0;
          setOutputAtIndex(index, uniforms.sigma * sqrt(-2.0 * log(u.x)) * cos(6.2831853 * u.y));
        }
      }`,
  };
}

class Network {
  constructor({ tf, webgpu }, shape, model, problem) {
    Object.assign(this, { tf, webgpu, shape, model, problem, seed: 1 });
    const own = (name) => {
      const { data, shape: full } = problem.get(name);
      return tf.tensor(data, shape.S > 1 ? full : full.slice(1));
    };
    this.p = Object.fromEntries(NAMES.map((name) => [name, tf.variable(own(name), true)]));
  }

  /** (S, T, B, N), or (T, B, N) for one network. */
  noise(std) {
    const { S, T, B, N } = this.shape;
    const size = S > 1 ? [S, T, B, N] : [T, B, N];
    if (std === 0) return this.tf.zeros(size);
    const program = noiseProgram(this.webgpu, size);
    const seed = [
      { type: "float32", data: [std] },
      { type: "int32", data: [this.seed++] },
    ];
    const info = this.tf.backend().runWebGPUProgram(program, [], "float32", seed);
    return this.tf.engine().makeTensorFromTensorInfo(info);
  }

  bias(name) {
    return this.shape.S > 1 ? this.tf.expandDims(this.p[name], 1) : this.p[name];
  }

  /** r_1 … r_T stacked before the unit axis. */
  states(r0, inputs, noise) {
    const { tf, model, shape } = this;
    const axis = shape.S > 1 ? 1 : 0;
    const steps = tf.unstack(noise, axis);
    let r = r0;
    const out = [];
    for (let t = 0; t < shape.T; t++) {
      const a = tf.add(tf.matMul(r, this.p.W_rec, false, true), Array.isArray(inputs) ? inputs[t] : inputs);
      r = tf.add(tf.add(tf.mul(r, 1 - model.leak), tf.mul(tf.relu(a), model.gain)), steps[t]);
      out.push(r);
    }
    return tf.stack(out, axis);
  }

  readout(states) {
    const { tf, shape } = this;
    const flat = tf.reshape(states, shape.S > 1 ? [shape.S, shape.T * shape.B, shape.N] : [shape.T * shape.B, shape.N]);
    return tf.add(tf.matMul(flat, this.p.W_out, false, true), this.bias("b_out"));
  }
}

class Training extends Network {
  constructor(loaded, shape, model, problem) {
    super(loaded, shape, model, problem);
    const { tf } = loaded;
    const { T, B, I, O, E, S } = shape;
    const given = (name, size) => tf.keep(tf.tensor(problem.get(name).data, size));
    this.u = given("u", [T * B, I]);
    this.e0 = given("e0", [B, E]);
    this.target = given("target", [T * B, O]);
    if (S > 1) {
      this.u = tf.keep(tf.tile(tf.expandDims(this.u, 0), [S, 1, 1]));
      this.e0 = tf.keep(tf.tile(tf.expandDims(this.e0, 0), [S, 1, 1]));
    }
    this.optimiser = tf.train.adam(model.learningRate, 0.9, 0.999, 1e-8);
  }

  /** One number a network. */
  losses(std) {
    const { tf, shape, p } = this;
    const { S, T, B, N } = shape;
    const r0 = tf.add(tf.matMul(this.e0, p.W_enc, false, true), this.bias("b_enc"));
    const x = tf.add(tf.matMul(this.u, p.W_in, false, true), this.bias("b"));
    const xs = tf.unstack(tf.reshape(x, S > 1 ? [S, T, B, N] : [T, B, N]), S > 1 ? 1 : 0);
    const y = this.readout(this.states(r0, xs, this.noise(std)));
    const square = tf.square(tf.sub(y, this.target));
    return S > 1 ? tf.mean(square, [1, 2]) : tf.reshape(tf.mean(square), [1]);
  }

  gradients(std) {
    let losses;
    const { grads } = this.tf.variableGrads(() => {
      losses = this.tf.keep(this.losses(std));
      return this.tf.sum(losses);
    });
    const byName = Object.fromEntries(NAMES.map((name) => [name, grads[this.p[name].name]]));
    return { losses, grads: byName };
  }

  clipped(grads) {
    const { tf, shape, model } = this;
    const own = (g) => (shape.S > 1 ? g.shape.map((_, i) => i).slice(1) : undefined);
    const squares = NAMES.map((name) => tf.sum(tf.square(grads[name]), own(grads[name])));
    const factor = tf.minimum(1, tf.div(model.clipNorm, tf.sqrt(tf.addN(squares))));
    const wide = (g) => (shape.S > 1 ? tf.reshape(factor, [shape.S, ...g.shape.slice(1).map(() => 1)]) : factor);
    return NAMES.map((name) => ({ name: this.p[name].name, tensor: tf.mul(grads[name], wide(grads[name])) }));
  }

  step(std) {
    return this.tf.tidy(() => {
      const { losses, grads } = this.gradients(std);
      this.optimiser.applyGradients(this.clipped(grads));
      return losses;
    });
  }

  async check(out) {
    const { tf } = this;
    const { losses, grads } = this.gradients(0);
    const loss = [...(await losses.data())];
    const tensors = {};
    for (const name of NAMES)
      tensors[name] = { data: new Float32Array(await grads[name].data()), shape: this.problem.get(name).shape };
    writeNpz(out, tensors);
    tf.dispose([losses, grads]);
    let after;
    for (let i = 0; i < 3; i++) after = this.step(0);
    const lossAfter = [...(await after.data())];
    for (const name of NAMES) {
      const { data } = this.problem.get(name);
      tf.tidy(() => this.p[name].assign(tf.tensor(data, this.p[name].shape)));
    }
    const noisyLoss = [...(await tf.tidy(() => this.losses(this.model.noiseStd)).data())];
    return { loss, lossAfter, noisyLoss };
  }

  async run(count) {
    let last;
    for (let i = 0; i < count; i++) {
      last?.dispose();
      last = this.step(this.model.noiseStd);
    }
    await last.data();
    last.dispose();
  }
}

class Replay extends Network {
  constructor(loaded, shape, model, problem) {
    super(loaded, shape, model, problem);
    const { tf } = loaded;
    this.r0 = tf.keep(tf.tensor(problem.get("r0").data, [shape.B, shape.N]));
  }

  rollout(std) {
    return this.tf.tidy(() => this.readout(this.states(this.r0, this.p.b, this.noise(std))));
  }

  async check(out) {
    const { T, B, O } = this.shape;
    const still = this.rollout(0);
    writeNpz(out, { y: { data: new Float32Array(await still.data()), shape: [T, B, O] } });
    const moved = this.tf.tidy(() =>
      this.tf.mean(this.tf.square(this.tf.sub(this.rollout(this.model.noiseStd), still))),
    );
    return { noisySquare: (await moved.data())[0] };
  }

  async run(count) {
    for (let i = 0; i < count; i++) {
      const y = this.rollout(this.model.noiseStd);
      // One number is read: it is there when the rollout is done.
      const last = this.tf.slice(y, [0, 0], [1, 1]);
      await last.data();
      this.tf.dispose([y, last]);
    }
  }
}

await serve(async ({ shape, model, problem, adapter }) => {
  preloadLocalDriver();
  standInForBrowser(adapter);
  const loaded = await loadTfjs();
  let fault = null;
  loaded.tf.backend().device.addEventListener("uncapturederror", ({ error }) => {
    fault ??= error;
  });
  const sound = async (work) => {
    const result = await work;
    if (fault) throw new Error(fault.message);
    return result;
  };
  const made = new (shape.kind === "train" ? Training : Replay)(loaded, shape, model, readNpz(problem));
  const about = { tfjs: loaded.version, device: loaded.tf.backend().device?.adapterInfo?.description ?? "" };
  return { about, check: (out) => sound(made.check(out)), run: (count) => sound(made.run(count)) };
});
