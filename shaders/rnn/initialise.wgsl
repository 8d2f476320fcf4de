// Computes   initial weights: element e of tensor i (row-major, unpadded) = std_i · normal (e mod 4) of the draw at
//            (step i, quad e >> 2, trajectory 0, epoch 0) of the initialisation stream; W_rec also times the network's gain.
// Axes       S networks, N units (padded to a multiple of 4).
// Bindings   initialise: the layout · networks: [S] · weights: [S][stride] · recurrent_t: [S][N][N], W_rec transposed.
// Geometry   workgroup id y = network; the invocations along x stride over the flat vector, one element at a time, so
//            that any number of workgroups will do.
// Numerics   padding is exactly 0. The draw belongs to the unpadded element: sizes that need padding and sizes that do
//            not share their numbers.
// Twin       src/reference/initialise.ts; test/kernel/initialise.test.ts. Layout: src/model/parameters.ts.
//! import "lib/networks.wgsl"
//! import "lib/rng.wgsl"

const WORKGROUP: u32 = 64u;
const TENSORS: u32 = 7u;
const RECURRENT: u32 = 0u;

struct InitialisePass {
  root_seed: u32,
  stride: u32,  // elements of a network's flat vector
  units: u32,   // N, padded
  // By tensor, in the order of the flat vector: offset, padded columns, rows, columns.
  tensor: array<vec4u, 7>,
  initial_std: array<vec4f, 2>,  // by tensor, four a vector; W_rec's for gain 1
}

@group(0) @binding(0) var<uniform> initialise: InitialisePass;
@group(0) @binding(1) var<storage, read> networks: array<NetworkParams>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> recurrent_t: array<f32>;

fn initial_normal(network_seed: u32, tensor: u32, element: u32) -> f32 {
  let counter = vec4u(tensor, element >> 2u, 0u, counter_word(STREAM_INITIALISATION, 0u));
  return normals4(philox4x32(counter, vec2u(initialise.root_seed, network_seed)))[element & 3u];
}

@compute @workgroup_size(WORKGROUP)
fn initialise_weights(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let network = id.y;
  let params = networks[network];
  for (var flat = id.x; flat < initialise.stride; flat += groups.x * WORKGROUP) {
    var tensor = 0u;
    for (var i = 1u; i < TENSORS; i++) {
      if flat >= initialise.tensor[i].x {
        tensor = i;
      }
    }
    let slice = initialise.tensor[tensor];
    let row = (flat - slice.x) / slice.y;
    let column = (flat - slice.x) % slice.y;
    let own = row < slice.z && column < slice.w;
    let gain = select(1.0, params.initial_gain, tensor == RECURRENT);
    let tensor_std = gain * initialise.initial_std[tensor >> 2u][tensor & 3u];
    // A bias has std 0, and 0 times a negative number is −0.
    let value = select(0.0, tensor_std * initial_normal(params.seed, tensor, row * slice.w + column), own && tensor_std > 0.0);
    weights[network * initialise.stride + flat] = value;
    if tensor == RECURRENT {
      recurrent_t[(network * initialise.units + column) * initialise.units + row] = value;
    }
  }
}
