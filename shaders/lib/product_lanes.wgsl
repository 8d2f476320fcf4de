// Product of 32 rows with up to 16 columns by eight lanes, without a barrier: a lane owns four rows, weights are loaded
// one quad a lane and broadcast. For adapters that are CPUs: there a load costs as much as twenty fused
// multiply-adds, and a barrier as much as seventy.
//
// acc[4 j + q] holds columns 4 q … 4 q + 3 of the lane's row j. Each output is one chain, k ascending.
// A kernel calls `acc_start`, then `madd2` for each pair (k, k + 1): `pair` is what this lane loaded, namely columns
// quad (lane & 3) of row k + (lane >> 2).

enable subgroups;

// Quads of columns in a tile: 4, or 1 for narrow outputs.
const TILE_QUADS: u32 = 4u; //! tune
const LANES: u32 = 8u;
const LANE_ROWS: u32 = 4u;

var<private> acc: array<vec4f, 16>;
// The sums of a finished tile. Only this copy is indexed by variables: that puts an array into memory, and acc belongs
// into registers.
var<private> sums: array<vec4f, 16>;

// Starts every row from the quad that lane q loaded for quad q, such as a bias.
fn acc_start(start: vec4f) {
  let q0 = subgroupBroadcast(start, 0u);
  acc[0] = q0; acc[4] = q0; acc[8] = q0; acc[12] = q0;
  if (TILE_QUADS > 1u) {
    let q1 = subgroupBroadcast(start, 1u);
    let q2 = subgroupBroadcast(start, 2u);
    let q3 = subgroupBroadcast(start, 3u);
    acc[1] = q1; acc[5] = q1; acc[9] = q1; acc[13] = q1;
    acc[2] = q2; acc[6] = q2; acc[10] = q2; acc[14] = q2;
    acc[3] = q3; acc[7] = q3; acc[11] = q3; acc[15] = q3;
  }
}

// x: this k of the lane's four rows; w0 … w3: the four column quads.
fn madd(x: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) {
  acc[0] = fma(vec4f(x.x), w0, acc[0]);
  acc[4] = fma(vec4f(x.y), w0, acc[4]);
  acc[8] = fma(vec4f(x.z), w0, acc[8]);
  acc[12] = fma(vec4f(x.w), w0, acc[12]);
  if (TILE_QUADS > 1u) {
    acc[1] = fma(vec4f(x.x), w1, acc[1]);
    acc[2] = fma(vec4f(x.x), w2, acc[2]);
    acc[3] = fma(vec4f(x.x), w3, acc[3]);
    acc[5] = fma(vec4f(x.y), w1, acc[5]);
    acc[6] = fma(vec4f(x.y), w2, acc[6]);
    acc[7] = fma(vec4f(x.y), w3, acc[7]);
    acc[9] = fma(vec4f(x.z), w1, acc[9]);
    acc[10] = fma(vec4f(x.z), w2, acc[10]);
    acc[11] = fma(vec4f(x.z), w3, acc[11]);
    acc[13] = fma(vec4f(x.w), w1, acc[13]);
    acc[14] = fma(vec4f(x.w), w2, acc[14]);
    acc[15] = fma(vec4f(x.w), w3, acc[15]);
  }
}

// One k: lanes 0 … 3 hold its column quads.
fn madd1(x: vec4f, single: vec4f) {
  let w0 = subgroupBroadcast(single, 0u);
  if (TILE_QUADS > 1u) {
    madd(x, w0, subgroupBroadcast(single, 1u), subgroupBroadcast(single, 2u), subgroupBroadcast(single, 3u));
  } else {
    madd(x, w0, w0, w0, w0);
  }
}

// Two k: lanes 0 … 3 hold the column quads of the first, lanes 4 … 7 those of the second.
fn madd2(x0: vec4f, x1: vec4f, pair: vec4f) {
  madd1(x0, pair);
  let w0 = subgroupBroadcast(pair, 4u);
  if (TILE_QUADS > 1u) {
    madd(x1, w0, subgroupBroadcast(pair, 5u), subgroupBroadcast(pair, 6u), subgroupBroadcast(pair, 7u));
  } else {
    madd(x1, w0, w0, w0, w0);
  }
}

// Four k of the lane's rows, given row by row, against two loaded pairs.
fn madd4(r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, first: vec4f, second: vec4f) {
  madd2(vec4f(r0.x, r1.x, r2.x, r3.x), vec4f(r0.y, r1.y, r2.y, r3.y), first);
  madd2(vec4f(r0.z, r1.z, r2.z, r3.z), vec4f(r0.w, r1.w, r2.w, r3.w), second);
}
