// Computes   Philox-4x32 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), uniforms
//            and Box–Muller normals. A draw is a pure function of its counter and key: nothing is stored, and
//            splitting a batch changes nothing.
// Axes       a counter is (step, unit >> 2, trajectory, stream << 24 | epoch), a key is (root seed, network seed);
//            one call serves four units.
// Bindings   none.
// Geometry   no entry point.
// Numerics   words are exact. u = ((w >> 9) + ½) 2⁻²³ is exact and never 0 or 1, so |normal| ≤ 5.77. Normals are within
//            3.2 ULP of their radius of Box–Muller in float64 (1.6e-6 at most); their bits hold on one adapter only.
// Twin       src/reference/rng.ts; test/kernel/rng.test.ts. Streams: src/model/streams.ts.
//! import "lib/maths.wgsl"

const PHILOX_ROUNDS: u32 = 7u; //! tune

const STREAM_INITIALISATION: u32 = 0u;
const STREAM_TRAIN_PATHS: u32 = 1u;
const STREAM_TEST_PATHS: u32 = 2u;
const STREAM_MASKS: u32 = 3u;
const STREAM_AWAKE_NOISE: u32 = 4u;
const STREAM_REPLAY_NOISE: u32 = 5u;
const STREAM_REPLAY_STARTS: u32 = 6u;
const STREAM_CELLS: u32 = 7u;
const STREAM_TRIALS: u32 = 8u;

// The last word of a counter; epochs stay below 2^24.
fn counter_word(stream: u32, epoch: u32) -> u32 {
  return (stream << 24u) | epoch;
}

// The upper 32 bits of each product, from 16-bit halves: WGSL has no wide multiplication.
fn multiply_high(a: vec2u, b: vec2u) -> vec2u {
  let low_mask = vec2u(0xffffu);
  let sixteen = vec2u(16u);
  let a_low = a & low_mask;
  let a_high = a >> sixteen;
  let b_low = b & low_mask;
  let b_high = b >> sixteen;
  let cross = a_high * b_low + ((a_low * b_low) >> sixteen);
  let carry = a_low * b_high + (cross & low_mask);
  return a_high * b_high + (cross >> sixteen) + (carry >> sixteen);
}

fn philox4x32(counter: vec4u, key: vec2u) -> vec4u {
  let multiplier = vec2u(0xd2511f53u, 0xcd9e8d57u);
  var words = counter;
  var round_key = key;
  for (var round = 0u; round < PHILOX_ROUNDS; round++) {
    let high = multiply_high(multiplier, words.xz);
    let low = multiplier * words.xz;
    words = vec4u(high.y ^ words.y ^ round_key.x, low.y, high.x ^ words.w ^ round_key.y, low.x);
    round_key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return words;
}

fn uniform01_f4(words: vec4u) -> vec4f {
  return (vec4f(words >> vec4u(9u)) + 0.5) * 1.1920929e-7;
}

fn uniform01(word: u32) -> f32 {
  return (f32(word >> 9u) + 0.5) * 1.1920929e-7;
}

// Words (0, 1) give normals 0 and 1, words (2, 3) normals 2 and 3: radius from the first, angle from the second of a pair.
fn normals4(words: vec4u) -> vec4f {
  let u = uniform01_f4(words);
  let radius = sqrt(-2.0 * log_normal_f4(u.xxzz));
  // sin 2πu = cos 2π(u − ¼), and u − ¼ is exact on the grid of the uniforms.
  return radius * cos2pi_f4(u.yyww - vec4f(0.0, 0.25, 0.0, 0.25));
}
