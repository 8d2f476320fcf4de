// Computes  per row, over the steps of a window: sums of displacements, offsets and distances to the maze, first arrivals,
//           visits to cells, regions and bins of the track, the angle about the centre, and the first diverged step
// Axes      T steps, R rows, O readouts; x_t is the position after step t, t = 1 … T
// Bindings  stats: [R] records; visits: [R][visit_words]; y: [steps][R][O], slot s is step t0 + s + 1; tail: [16][R] vec2, slot t mod 16: positions of the windows before
// Geometry  one invocation = one row
// Numerics  steps ascending, one order whatever the windows; see lib/path_record.wgsl. After a row has diverged only its
//           first arrivals are looked for, and nothing else of it is added
// Twin      src/reference/path-metrics.ts, test/kernel/path-metrics.test.ts
//! import "lib/path_places.wgsl"
//! import "lib/maths.wgsl"

@group(0) @binding(4) var<storage, read> y: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> tail: array<vec2f>;

const BLOCK: u32 = 32u;
const TAIL: u32 = 16u;

// x_t, of this window or one of the 16 before it.
fn position(row: u32, t: u32) -> vec2f {
  if (t > path_pass.t0) {
    return y[((t - path_pass.t0 - 1u) * path_pass.rows + row) * path_pass.output_pairs];
  }
  return tail[(t % TAIL) * path_pass.rows + row];
}

// |x_t − x_{t−lag}|², 0 where there is no such step.
fn square_step(row: u32, t: u32, lag: u32, p: vec2f) -> f32 {
  if (t <= lag) {
    return 0.0;
  }
  return square_of(p - position(row, t - lag));
}

fn add_moves(sums: ptr<function, PathSums>, row: u32, t: u32, p: vec2f, origin: vec2f) {
  let square1 = square_step(row, t, 1u, p);
  (*sums).square1 += square1;
  (*sums).step1 += sqrt(square1);
  (*sums).step5 += sqrt(square_step(row, t, 5u, p));
  (*sums).square2 += square_step(row, t, 2u, p);
  (*sums).square4 += square_step(row, t, 4u, p);
  (*sums).square8 += square_step(row, t, 8u, p);
  (*sums).square16 += square_step(row, t, 16u, p);
  let d = p - origin;
  (*sums).offset += d;
  (*sums).square += square_of(d);
  if (t > 10u) {
    let e = position(row, t - 10u) - origin;
    (*sums).pair10 += d + e;
    (*sums).product10 += fma(d.x, e.x, d.y * e.y);
  }
}

fn add_visits(own: ptr<function, PathStats>, row: u32, p: vec2f) {
  let cell = cell_at(p);
  if (cell != NOWHERE) {
    let at = row * path_pass.visit_words + cell;
    let before = visits[at];
    visits[at] = before + 1u;
    (*own).cells += select(0u, 1u, before == 0u);
  }
  let region = region_at(p);
  if (region.index != NOWHERE) {
    let at = first_region_word(row) + region.index;
    let before = visits[at];
    visits[at] = before + 1u;
    (*own).regions += select(0u, 1u, before == 0u);
    (*own).ends += select(0u, region.is_end, before == 0u);
    (*own).entries += select(0u, 1u, (*own).region != region.index + 1u);
    (*own).region = region.index + 1u;
  }
}

// Marks the bins of the track that p comes close to; the distance from p to the track.
fn visit_track(own: ptr<function, PathStats>, row: u32, p: vec2f) -> f32 {
  var nearest = FAR;
  for (var piece = 0u; piece < path_pass.pieces; piece++) {
    let track = track_near(p, piece);
    nearest = min(nearest, track.square);
    if (track.bits != 0u) {
      let at = first_region_word(row) + path_pass.regions + piece;
      let before = visits[at];
      visits[at] = before | track.bits;
      (*own).bins += countOneBits(track.bits & ~before);
    }
  }
  return sqrt(nearest);
}

fn turn_about_centre(own: ptr<function, PathStats>, t: u32, p: vec2f) {
  let d = p - path_pass.centre;
  let turn = turns_f(d.y, d.x);
  if (t == 1u) {
    (*own).first_turn = turn;
  } else {
    (*own).wraps += i32(floor(turn - (*own).last_turn + 0.5));
  }
  (*own).last_turn = turn;
}

// Each coordinate by itself first: squares of large numbers overflow.
fn is_away(p: vec2f) -> bool {
  let d = abs(p - path_pass.centre);
  return d.x > path_pass.limit || d.y > path_pass.limit || square_of(d) > path_pass.limit * path_pass.limit;
}

fn sum_of(a: PathSums, b: PathSums) -> PathSums {
  return PathSums(
    a.offset + b.offset, a.pair10 + b.pair10, a.product10 + b.product10, a.square + b.square,
    a.step1 + b.step1, a.step5 + b.step5, a.square1 + b.square1, a.square2 + b.square2, a.square4 + b.square4,
    a.square8 + b.square8, a.square16 + b.square16, a.offpath + b.offpath,
  );
}

@compute @workgroup_size(32)
fn path_stats(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (!is_real(row)) {
    return;
  }
  var own = stats[row];
  var recent = own.recent;
  let end = path_pass.t0 + path_pass.steps;
  for (var t = path_pass.t0 + 1u; t <= end; t++) {
    let p = position(row, t);
    let finite = !(nonfinite(p.x) || nonfinite(p.y));
    if (t == 1u) {
      own.origin = p;
      own.goal = next_corner(p);
    }
    if (finite) {
      own.reach = select(own.reach, t, own.reach == 0u && has_arrived(p, own.origin, own.goal));
      own.junction = select(own.junction, t, own.junction == 0u && is_at_junction(p));
    }
    own.diverged = select(own.diverged, t, own.diverged == 0u && (!finite || is_away(p)));
    if (own.diverged == 0u) {
      add_moves(&recent, row, t, p, own.origin);
      add_visits(&own, row, p);
      if (path_pass.pieces > 0u) {
        recent.offpath += visit_track(&own, row, p);
      }
      if (path_pass.closed != 0u) {
        turn_about_centre(&own, t, p);
      }
    }
    if (t % BLOCK == 0u) {
      own.total = sum_of(own.total, recent);
      recent = PathSums();
    }
  }
  own.recent = recent;
  stats[row] = own;
  for (var t = max(path_pass.t0, max(end, TAIL) - TAIL) + 1u; t <= end; t++) {
    tail[(t % TAIL) * path_pass.rows + row] = position(row, t);
  }
}
