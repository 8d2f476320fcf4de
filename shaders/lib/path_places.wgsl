// The places of a maze, in one table: segments (two quads each: start and edge; edge over its squared length), goals,
// junction, regions (x, y, squared radius, 1 for an end), centres of bins. Loops are bounded by uniforms.
//! import "lib/path_record.wgsl"

@group(0) @binding(3) var<storage, read> places: array<vec4f>;

const NOWHERE: u32 = 0xffffffffu;
const FAR: f32 = 3.0e38;

fn square_of(d: vec2f) -> f32 {
  return fma(d.x, d.x, d.y * d.y);
}

fn first_goal() -> u32 {
  return 2u * path_pass.segments;
}

fn first_region() -> u32 {
  return first_goal() + path_pass.goals + path_pass.junctions;
}

fn is_inside(p: vec2f, disc: vec4f) -> bool {
  return square_of(p - disc.xy) < disc.z;
}

// In any goal, or in the one that a closed maze set at the start.
fn is_at_goal(p: vec2f, only: u32) -> bool {
  var found = false;
  for (var g = 0u; g < path_pass.goals; g++) {
    let counts = path_pass.closed == 0u || g == only;
    found = found || (counts && is_inside(p, places[first_goal() + g]));
  }
  return found;
}

fn is_at_junction(p: vec2f) -> bool {
  return path_pass.junctions > 0u && is_inside(p, places[first_goal() + path_pass.goals]);
}

// The corner after the nearest one.
fn next_corner(p: vec2f) -> u32 {
  var nearest = FAR;
  var found = NOWHERE;
  for (var g = 0u; g < path_pass.goals; g++) {
    let square = square_of(p - places[first_goal() + g].xy);
    if (square < nearest) {
      nearest = square;
      found = (g + 1u) % path_pass.goals;
    }
  }
  return found;
}

struct Region {
  index: u32,  // NOWHERE between regions
  is_end: u32,
}

// Where discs overlap, the nearest centre.
fn region_at(p: vec2f) -> Region {
  var nearest = FAR;
  var found = Region(NOWHERE, 0u);
  for (var k = 0u; k < path_pass.regions; k++) {
    let disc = places[first_region() + k];
    let square = square_of(p - disc.xy);
    if (square < disc.z && square < nearest) {
      nearest = square;
      found = Region(k, u32(disc.w));
    }
  }
  return found;
}

fn distance_to_maze(p: vec2f) -> f32 {
  var nearest = FAR;
  for (var s = 0u; s < path_pass.segments; s++) {
    let start = places[2u * s];
    let along = places[2u * s + 1u].xy;
    let d = p - start.xy;
    let f = clamp(fma(d.x, along.x, d.y * along.y), 0.0, 1.0);
    nearest = min(nearest, square_of(fma(vec2f(-f), start.zw, d)));
  }
  return sqrt(nearest);
}

// Which of bins 32 w … 32 w + 31 the position comes close to, as bits.
fn bins_near(p: vec2f, w: u32) -> u32 {
  let first = first_region() + path_pass.regions + 32u * w;
  let count = min(32u, path_pass.bins - 32u * w);
  var bits = 0u;
  for (var b = 0u; b < count; b++) {
    let near = square_of(p - places[first + b].xy) < path_pass.bin_square;
    bits |= select(0u, 1u << b, near);
  }
  return bits;
}

// Word of the row's steps per cell, NOWHERE outside the grid.
fn cell_at(p: vec2f) -> u32 {
  let at = floor((p - path_pass.corner) / path_pass.side * f32(path_pass.cells));
  let inside = all(at >= vec2f(0.0)) && all(at < vec2f(f32(path_pass.cells)));
  return select(NOWHERE, u32(at.y) * path_pass.cells + u32(at.x), inside);
}
