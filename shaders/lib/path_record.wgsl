// What the metrics kernels keep of a row from window to window, and what comes back to the host.
// Sums have two levels, `total` and `recent`: 32 steps are added up before they join the total, so that rounding grows
// with 32 + T/32 and not with T. The blocks are counted from step 1, whatever the windows.

struct PathSums {
  offset: vec2f,   // Σ d_t, d_t = x_t − x_1: relative to the start, sums of squares hardly cancel
  pair10: vec2f,   // Σ_{t > 10} (d_t + d_{t−10})
  product10: f32,  // Σ_{t > 10} d_t·d_{t−10}
  square: f32,     // Σ |d_t|²
  step1: f32,      // Σ |x_t − x_{t−1}|
  step5: f32,      // Σ |x_t − x_{t−5}|
  square1: f32,    // Σ |x_t − x_{t−1}|², and so on for 2, 4, 8, 16
  square2: f32,
  square4: f32,
  square8: f32,
  square16: f32,
  offpath: f32,    // Σ distance to the maze
}

struct PathStats {
  total: PathSums,
  recent: PathSums,
  origin: vec2f,    // x_1
  first_turn: f32,  // angle about the centre, turns
  last_turn: f32,
  wraps: i32,       // laps = last_turn − first_turn − wraps
  goal: u32,        // closed mazes: index of the goal
  reach: u32,       // steps; 0 = never, also below
  junction: u32,
  diverged: u32,
  cells: u32,       // different ones visited
  bins: u32,
  regions: u32,
  ends: u32,
  entries: u32,
  region: u32,      // 1 + the region visited last; 0 = none yet
  entropy: f32,     // of the steps over regions, nats
}

struct PathPass {
  rows: u32,              // R of the launch, padding included
  rows_per_network: u32,
  real_rows: u32,         // of a network
  t0: u32,                // steps before this window
  steps: u32,             // of this window
  output_pairs: u32,      // vec2s of a row in y
  visit_words: u32,
  pieces: u32,            // numbers of places, in their order in the table
  goals: u32,
  junctions: u32,
  regions: u32,
  cells: u32,             // of a side of the grid
  closed: u32,            // 1: laps, and a goal that depends on the start
  centre: vec2f,
  corner: vec2f,          // of the grid
  side: f32,              // of the grid, metres
  limit: f32,             // distance from the centre beyond which a row has diverged
  bin_square: f32,        // squared distance at which a bin counts as visited
  leave_square: f32,      // squared distance from x_1 at which a row has arrived; 0: it arrives at goals
}

@group(0) @binding(0) var<uniform> path_pass: PathPass;
@group(0) @binding(1) var<storage, read_write> stats: array<PathStats>;
// [R][visit_words]: steps in each cell of the grid, line by line; steps in each region; a word for each piece of track,
// a bit for each of its bins.
@group(0) @binding(2) var<storage, read_write> visits: array<u32>;

fn is_real(row: u32) -> bool {
  return row % path_pass.rows_per_network < path_pass.real_rows;
}

fn first_region_word(row: u32) -> u32 {
  return row * path_pass.visit_words + path_pass.cells * path_pass.cells;
}
