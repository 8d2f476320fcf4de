/** float32 → IEEE 754 binary16, rounded to the nearest, ties to even, as NumPy's `astype(float16)`. */
const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/** Exponents in place of float32 numbers between which a float16 is normal. */
const NORMAL_ABOVE = 112 << 23;
const NORMAL_BELOW = 143 << 23;

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

export function toFloat16(data: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const out = new Uint16Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const b = words[i] as number;
    const exponent = b & 0x7f800000;
    // Nearly all are normal before and after: the bias changes, and a tie goes to the even neighbour.
    if (exponent > NORMAL_ABOVE && exponent < NORMAL_BELOW) {
      out[i] = ((b >>> 16) & 0x8000) | (((b & 0x7fffffff) - NORMAL_ABOVE + 0xfff + ((b >>> 13) & 1)) >>> 13);
    } else out[i] = narrowToFloat16(data[i] as number);
  }
  return out;
}
