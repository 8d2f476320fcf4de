// Product of 32 rows with up to 32 columns by eight lanes, without a barrier: a lane owns four rows, weights are loaded
// one quad a lane and broadcast. For adapters that are CPUs: there a load costs as much as ten fused multiply-adds, and
// a barrier as much as seventy. An `if` saves nothing there: both sides are executed, also where all lanes agree.
//
// acc[8 j + q] holds columns 4 q … 4 q + 3 of the lane's row j. Each output is one chain, k ascending.
// A kernel calls `start`, then `madd4` for every four k. `load` of them is what this lane loaded for the m-th time,
// namely columns quad lane_quad(lane) of row k + m K_LOAD + lane_k(lane); loads beyond the tile's need are dropped by
// the compiler. Quad after quad, because only few of the sums fit the registers: each is fetched once for four k.

enable subgroups;

// Quads of columns in a tile: 1, 4 or 8.
const TILE_QUADS: u32 = 4u; //! tune
const LANES: u32 = 8u;
const LANE_ROWS: u32 = 4u;
// Rows of the right matrix that the lanes load at once.
const K_LOAD: u32 = min(4u, LANES / TILE_QUADS);

// Never indexed by a variable: that would put it into memory, and it belongs into registers.
var<private> acc: array<vec4f, 32>;

// Which quad of the tile, and which of K_LOAD rows, a lane loads.
fn lane_quad(lane: u32) -> u32 {
  return lane % TILE_QUADS;
}

fn lane_k(lane: u32) -> u32 {
  return (lane / TILE_QUADS) % K_LOAD;
}

fn start_quad(q: u32, value: vec4f) {
  acc[q] = value;
  acc[8u + q] = value;
  acc[16u + q] = value;
  acc[24u + q] = value;
}

// Starts every row from the quad that lane q loaded for quad q, such as a bias.
fn start(load: vec4f) {
  start_quad(0u, subgroupBroadcast(load, 0u));
  if (TILE_QUADS > 1u) {
    start_quad(1u, subgroupBroadcast(load, 1u));
    start_quad(2u, subgroupBroadcast(load, 2u));
    start_quad(3u, subgroupBroadcast(load, 3u));
  }
  if (TILE_QUADS > 4u) {
    start_quad(4u, subgroupBroadcast(load, 4u));
    start_quad(5u, subgroupBroadcast(load, 5u));
    start_quad(6u, subgroupBroadcast(load, 6u));
    start_quad(7u, subgroupBroadcast(load, 7u));
  }
}

// x: this k of the lane's four rows; w: one quad of columns.
fn madd1_quad(q: u32, x: vec4f, w: vec4f) {
  acc[q] = fma(vec4f(x.x), w, acc[q]);
  acc[8u + q] = fma(vec4f(x.y), w, acc[8u + q]);
  acc[16u + q] = fma(vec4f(x.z), w, acc[16u + q]);
  acc[24u + q] = fma(vec4f(x.w), w, acc[24u + q]);
}

// One k; every lane loaded its quad of that row.
fn madd1(x: vec4f, load: vec4f) {
  madd1_quad(0u, x, subgroupBroadcast(load, 0u));
  if (TILE_QUADS > 1u) {
    madd1_quad(1u, x, subgroupBroadcast(load, 1u));
    madd1_quad(2u, x, subgroupBroadcast(load, 2u));
    madd1_quad(3u, x, subgroupBroadcast(load, 3u));
  }
  if (TILE_QUADS > 4u) {
    madd1_quad(4u, x, subgroupBroadcast(load, 4u));
    madd1_quad(5u, x, subgroupBroadcast(load, 5u));
    madd1_quad(6u, x, subgroupBroadcast(load, 6u));
    madd1_quad(7u, x, subgroupBroadcast(load, 7u));
  }
}

struct FourRows {
  k0: vec4f,
  k1: vec4f,
  k2: vec4f,
  k3: vec4f,
}

// x.k0: the first k of the lane's four rows, …
fn madd4_quad(q: u32, x: FourRows, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) {
  acc[q] = fma(vec4f(x.k3.x), w3, fma(vec4f(x.k2.x), w2, fma(vec4f(x.k1.x), w1, fma(vec4f(x.k0.x), w0, acc[q]))));
  acc[8u + q] = fma(vec4f(x.k3.y), w3, fma(vec4f(x.k2.y), w2, fma(vec4f(x.k1.y), w1, fma(vec4f(x.k0.y), w0, acc[8u + q]))));
  acc[16u + q] = fma(vec4f(x.k3.z), w3, fma(vec4f(x.k2.z), w2, fma(vec4f(x.k1.z), w1, fma(vec4f(x.k0.z), w0, acc[16u + q]))));
  acc[24u + q] = fma(vec4f(x.k3.w), w3, fma(vec4f(x.k2.w), w2, fma(vec4f(x.k1.w), w1, fma(vec4f(x.k0.w), w0, acc[24u + q]))));
}

fn madd4(x: FourRows, load0: vec4f, load1: vec4f, load2: vec4f, load3: vec4f) {
  if (TILE_QUADS == 1u) {
    madd4_quad(0u, x, subgroupBroadcast(load0, 0u), subgroupBroadcast(load0, 1u), subgroupBroadcast(load0, 2u), subgroupBroadcast(load0, 3u));
  }
  if (TILE_QUADS == 4u) {
    madd4_quad(0u, x, subgroupBroadcast(load0, 0u), subgroupBroadcast(load0, 4u), subgroupBroadcast(load1, 0u), subgroupBroadcast(load1, 4u));
    madd4_quad(1u, x, subgroupBroadcast(load0, 1u), subgroupBroadcast(load0, 5u), subgroupBroadcast(load1, 1u), subgroupBroadcast(load1, 5u));
    madd4_quad(2u, x, subgroupBroadcast(load0, 2u), subgroupBroadcast(load0, 6u), subgroupBroadcast(load1, 2u), subgroupBroadcast(load1, 6u));
    madd4_quad(3u, x, subgroupBroadcast(load0, 3u), subgroupBroadcast(load0, 7u), subgroupBroadcast(load1, 3u), subgroupBroadcast(load1, 7u));
  }
  if (TILE_QUADS == 8u) {
    madd4_quad(0u, x, subgroupBroadcast(load0, 0u), subgroupBroadcast(load1, 0u), subgroupBroadcast(load2, 0u), subgroupBroadcast(load3, 0u));
    madd4_quad(1u, x, subgroupBroadcast(load0, 1u), subgroupBroadcast(load1, 1u), subgroupBroadcast(load2, 1u), subgroupBroadcast(load3, 1u));
    madd4_quad(2u, x, subgroupBroadcast(load0, 2u), subgroupBroadcast(load1, 2u), subgroupBroadcast(load2, 2u), subgroupBroadcast(load3, 2u));
    madd4_quad(3u, x, subgroupBroadcast(load0, 3u), subgroupBroadcast(load1, 3u), subgroupBroadcast(load2, 3u), subgroupBroadcast(load3, 3u));
    madd4_quad(4u, x, subgroupBroadcast(load0, 4u), subgroupBroadcast(load1, 4u), subgroupBroadcast(load2, 4u), subgroupBroadcast(load3, 4u));
    madd4_quad(5u, x, subgroupBroadcast(load0, 5u), subgroupBroadcast(load1, 5u), subgroupBroadcast(load2, 5u), subgroupBroadcast(load3, 5u));
    madd4_quad(6u, x, subgroupBroadcast(load0, 6u), subgroupBroadcast(load1, 6u), subgroupBroadcast(load2, 6u), subgroupBroadcast(load3, 6u));
    madd4_quad(7u, x, subgroupBroadcast(load0, 7u), subgroupBroadcast(load1, 7u), subgroupBroadcast(load2, 7u), subgroupBroadcast(load3, 7u));
  }
}

// Four k of four rows, given row by row.
fn by_k(r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f) -> FourRows {
  return FourRows(
    vec4f(r0.x, r1.x, r2.x, r3.x), vec4f(r0.y, r1.y, r2.y, r3.y), vec4f(r0.z, r1.z, r2.z, r3.z), vec4f(r0.w, r1.w, r2.w, r3.w),
  );
}

// Hands the finished sums to the kernel's `put(j, q, value)`, for each row j of the lane and quad q of the tile: without
// an index by variables, so that acc stays in registers. For work that is short; the rest goes through `sums`.
fn put_row(j: u32) {
  put(j, 0u, acc[8u * j]);
  if (TILE_QUADS > 1u) {
    put(j, 1u, acc[8u * j + 1u]);
    put(j, 2u, acc[8u * j + 2u]);
    put(j, 3u, acc[8u * j + 3u]);
  }
  if (TILE_QUADS > 4u) {
    put(j, 4u, acc[8u * j + 4u]);
    put(j, 5u, acc[8u * j + 5u]);
    put(j, 6u, acc[8u * j + 6u]);
    put(j, 7u, acc[8u * j + 7u]);
  }
}

fn put_tile() {
  put_row(0u);
  put_row(1u);
  put_row(2u);
  put_row(3u);
}
