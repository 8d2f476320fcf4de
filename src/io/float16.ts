/** float32 → IEEE 754 binary16, rounded to the nearest, ties to even, as NumPy's `astype(float16)`. */
const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/** Larger values become infinities. */
export function narrowToFloat16(x: number): number {
  value[0] = x;
  const b = bits[0] as number;
  const sign = (b >>> 16) & 0x8000;
  const exponent = (b >>> 23) & 0xff;
  const fraction = b & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 | (fraction >>> 13) : 0);
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e <= 0) {
    // Subnormal: the implied one, shifted to where it is worth 2⁻²⁴.
    if (e < -10) return sign;
    return sign | roundedShift(fraction | 0x800000, 14 - e);
  }
  // A carry out of the fraction raises the exponent, up to infinity, as it should.
  return sign | roundedShift((e << 23) | fraction, 13);
}

function roundedShift(n: number, shift: number): number {
  const half = 1 << (shift - 1);
  const rest = n & ((1 << shift) - 1);
  const down = n >>> shift;
  return rest > half || (rest === half && (down & 1) === 1) ? down + 1 : down;
}

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
    if ((top & 0xff) === 0xff && (b & 0x7fffff) !== 0) out[i] = narrowToFloat16(data[i] as number);
  }
  return out;
}
