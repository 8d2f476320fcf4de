// The places of a maze, in one table: pieces of track (two quads each), goals, junction, regions (x, y, squared radius, 1
// for an end). Loops are bounded by uniforms. A uniform, not a storage buffer: inside a loop adapters that are CPUs load
// storage lane by lane.
// A piece of track is a segment, or a part of one, with at most 32 bins of equal length: (start, edge), (edge over its
// squared length, number n of bins, (n / length)²).
//! import "lib/path_record.wgsl"

struct Places {
  quads: array<vec4f, 1024>,
}

@group(0) @binding(3) var<uniform> places: Places;

const NOWHERE: u32 = 0xffffffffu;
const FAR: f32 = 3.0e38;

fn square_of(d: vec2f) -> f32 {
  return fma(d.x, d.x, d.y * d.y);
}

fn first_goal() -> u32 {
  return 2u * path_pass.pieces;
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
    found = found || (counts && is_inside(p, places.quads[first_goal() + g]));
  }
  return found;
}

// At a goal, or far enough from where it started.
fn has_arrived(p: vec2f, origin: vec2f, only: u32) -> bool {
  let is_away = path_pass.leave_square > 0.0 && square_of(p - origin) > path_pass.leave_square;
  return is_away || is_at_goal(p, only);
}

fn is_at_junction(p: vec2f) -> bool {
  return path_pass.junctions > 0u && is_inside(p, places.quads[first_goal() + path_pass.goals]);
}

// The corner after the nearest one.
fn next_corner(p: vec2f) -> u32 {
  var nearest = FAR;
  var found = NOWHERE;
  for (var g = 0u; g < path_pass.goals; g++) {
    let square = square_of(p - places.quads[first_goal() + g].xy);
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
    let disc = places.quads[first_region() + k];
    let square = square_of(p - disc.xy);
    if (square < disc.z && square < nearest) {
      nearest = square;
      found = Region(k, u32(disc.w));
    }
  }
  return found;
}

struct Track {
  square: f32,  // squared distance to the piece
  bits: u32,    // its bins whose centres are within the bin radius of p
}

// With p at f edges along the piece and h beside its line, bin i is near where (f n − i − ½)² < (radius² − h²) (n / length)²:
// a range of bins, without a look at each.
fn track_near(p: vec2f, piece: u32) -> Track {
  let start = places.quads[2u * piece];
  let along = places.quads[2u * piece + 1u];
  let d = p - start.xy;
  let f = fma(d.x, along.x, d.y * along.y);
  let square = square_of(fma(vec2f(-clamp(f, 0.0, 1.0)), start.zw, d));
  let room = (path_pass.bin_square - square_of(fma(vec2f(-f), start.zw, d))) * along.w;
  var bits = 0u;
  if (room > 0.0) {
    let middle = fma(f, along.z, -0.5);
    let low = max(ceil(middle - sqrt(room)), 0.0);
    let high = min(floor(middle + sqrt(room)), along.z - 1.0);
    if (low <= high) {
      bits = (0xffffffffu >> (31u - u32(high))) & (0xffffffffu << u32(low));
    }
  }
  return Track(square, bits);
}

// Word of the row's steps per cell, NOWHERE outside the grid.
fn cell_at(p: vec2f) -> u32 {
  let at = floor((p - path_pass.corner) / path_pass.side * f32(path_pass.cells));
  let inside = all(at >= vec2f(0.0)) && all(at < vec2f(f32(path_pass.cells)));
  return select(NOWHERE, u32(at.y) * path_pass.cells + u32(at.x), inside);
}
