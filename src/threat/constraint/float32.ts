const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

/** The float32 number next to `v` (a float32 number, not NaN) in the direction of `goal`; `v` itself where they are equal. */
export function nextFloat32(v: number, goal: number): number {
  if (v === goal) return v;
  if (v === 0) return goal > 0 ? 2 ** -149 : -(2 ** -149);
  value[0] = v;
  bits[0] = bits[0]! + (v < goal === v > 0 ? 1 : -1);
  return value[0];
}

/** The least float32 number that is not below `v`. */
export function ceilFloat32(v: number): number {
  const r = Math.fround(v);
  return r < v ? nextFloat32(r, Number.POSITIVE_INFINITY) : r;
}

/** The greatest float32 number that is not above `v`. */
export function floorFloat32(v: number): number {
  const r = Math.fround(v);
  return r > v ? nextFloat32(r, Number.NEGATIVE_INFINITY) : r;
}
