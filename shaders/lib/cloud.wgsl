// The pooled cloud of one (network, condition): its rows' steps, counted per cell of a square grid.

// Cells of a side of the grid.
const SIDE: u32 = 20u; //! tune
const CELLS: u32 = SIDE * SIDE;

struct CloudSummary {
  live_rows: u32,      // rows that did not diverge; only they are pooled
  counted: u32,        // their steps in the grid
  awake_counted: u32,
  entropy: f32,        // −Σ p log p / log(cells)
  sliced: f32,         // metres
  divergence: f32,     // nats
}

struct CloudPass {
  clouds: u32,            // S · C of the launch
  network0: u32,
  conditions: u32,        // C
  repeats: u32,
  rows_per_network: u32,
  visit_words: u32,
  cell_size: f32,         // metres
}

// Bindings 0 … 3 belong to the rows' records.
@group(0) @binding(4) var<uniform> cloud_pass: CloudPass;
@group(0) @binding(5) var<storage, read_write> summaries: array<CloudSummary>;
@group(0) @binding(6) var<storage, read_write> occupancy: array<u32>;  // [S·C][cells]

// One workgroup a cloud; the last line of workgroups may be longer than the clouds.
fn cloud_of(group: vec3u, groups: vec3u) -> u32 {
  return group.x + group.y * groups.x;
}
