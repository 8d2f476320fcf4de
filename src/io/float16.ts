/** float32 → IEEE 754 binary16, rounded to the nearest, ties to even, as NumPy's `astype(float16)`. */

/** By a float32's sign and exponent: the half without its fraction, and how far the fraction is shifted. */
const BASE = new Uint16Array(512);
const SHIFT = new Uint8Array(512);
for (let i = 0; i < 512; i++) {
  const sign = (i & 0x100) << 7;
  const e = (i & 0xff) - 112;
  // The implied one stays in front of the fraction, where it raises the exponent by one.
  if (e >= 31) [BASE[i], SHIFT[i]] = [sign | 0x7c00, 25];
  else if (e > 0) [BASE[i], SHIFT[i]] = [sign | ((e - 1) << 10), 13];
  else [BASE[i], SHIFT[i]] = [sign, Math.min(25, 14 - e)];
}

/** Larger values become infinities. */
export function toFloat16(data: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const b = words[i] as number;
    const top = b >>> 23;
    const shift = SHIFT[top] as number;
    const n = (b & 0x7fffff) | 0x800000;
    // A tie goes to the even neighbour; a shift by 25 leaves nothing.
    out[i] = (BASE[top] as number) + ((n + (1 << (shift - 1)) - 1 + ((n >>> shift) & 1)) >>> shift);
    // A NaN keeps what fits of its payload, and stays quiet.
    if ((top & 0xff) === 0xff && (b & 0x7fffff) !== 0) out[i] = (BASE[top] as number) | 0x200 | ((b & 0x7fffff) >>> 13);
  }
  return out;
}
