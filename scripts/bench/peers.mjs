/** Who is compared, and how each is started. */
import { fileURLToPath } from "node:url";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** `variant`: what of our model the peer is checked against; a variant other than "model" does less than we do. */
const python = (file, label, more = {}) => ({ python: here(file), label, variant: "model", ...more });

const ANOTHER = { leak: 1, gain: 1, noiseStd: 0 };

/** Variants of our own model that peers without leak and noise can be checked against. */
export const VARIANTS = {
  model: { activation: "relu", model: {} },
  relu: { activation: "relu", model: ANOTHER },
  tanh: { activation: "tanh", model: ANOTHER },
};

export const PEERS = {
  ours: { node: here("ours.mjs"), label: "**reverie**", variant: "model" },
  "tfjs-webgpu": { node: here("tfjs.mjs"), label: "TensorFlow.js WebGPU, same adapter", variant: "model" },
  "torch-cpu-loop-1": python("torch_peers.py", "PyTorch, CPU, 1 thread"),
  "torch-cpu-loop-2": python("torch_peers.py", "PyTorch, CPU, 2 threads"),
  "torch-cpu-rnn-1": python("torch_peers.py", "PyTorch `nn.RNN`, CPU, 1 thread ¹", { variant: "relu" }),
  "jax-scan-cpu": python("jax_peers.py", "JAX `jit(scan)`, `vmap` over networks, CPU"),
  "torch-cuda-loop-eager": python("torch_peers.py", "PyTorch, CUDA, eager"),
  "torch-cuda-loop-compile": python("torch_peers.py", "PyTorch, CUDA, `torch.compile`"),
  "torch-cuda-loop-graph": python("torch_peers.py", "PyTorch, CUDA graph of a step"),
  "torch-cuda-loop-graph-compile": python("torch_peers.py", "PyTorch, CUDA graph of a compiled step"),
  "torch-cuda-rnn": python("torch_peers.py", "PyTorch `nn.RNN` on cuDNN ¹", { variant: "relu" }),
  "torch-cuda-flash": python("torch_peers.py", "FlashRNN, fused CUDA Elman ¹", { variant: "tanh" }),
  "jax-scan": python("jax_peers.py", "JAX `jit(scan)`, `vmap` over networks, GPU"),
};
