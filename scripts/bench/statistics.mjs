/** Lower quartile, median, upper quartile; between neighbours where they fall between. */
export function quartiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => {
    const at = share * (sorted.length - 1);
    const low = sorted[Math.floor(at)];
    return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)] - low);
  });
}
