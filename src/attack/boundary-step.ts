import type { Norm } from '../threat/norm.ts';
import { projectionMemory, toHyperplane } from './hyperplane-projection.ts';

/** A step's place: where one stands, where the clean sample is, and the boundary as a plane. */
export interface BoundaryPlace {
  readonly x: Float32Array;
  readonly x0: Float32Array;
  /** The boundary's normal at `x`. */
  readonly normal: Float32Array;
  /** What `⟨normal, δ⟩` must be for a step `δ` to the boundary. */
  readonly gap: number;
  /** Longest step in l2. */
  readonly radius: number;
}

/** How exactly a step meets the plane and the radius, relative to what they can be, and the linf distance. */
const PLANE = 1e-6;
const RADIUS = 2e-3;
const DISTANCE = 1e-3;
/** Most evaluations of one search; a Newton search usually takes about five. */
const MOST = 60;
/** A bracket of a multiplier as narrow as this (relative) is at its end; in l0 it holds a jump sooner, so that no multiplier meets the plane. */
const NARROW = 1e-13;
const JUMP = 1e-5;

/**
 * The step of Brendel et al. 2019, for points of `size` elements within `bounds`:
 *
 *     min ‖x + δ − x₀‖ (in `norm`)  subject to  ⟨normal, δ⟩ = gap,  ‖δ‖₂ ≤ radius,  x + δ within the bounds,
 *
 * written to `out`; where nothing satisfies all three, the step that goes furthest towards the plane. Solved by its Lagrangian: for
 * given multipliers every element has its best value on its own; the plane's multiplier is found by Newton's method (what the elements
 * contribute to `⟨normal, δ⟩` only grows with it, piecewise linearly), the radius' one by secants; in linf the distance itself is bisected,
 * within which the shortest step to the plane is sought. Exact up to the tolerances above in linf, l2 and l1. In l0, which is not convex, it
 * is the Lagrangian's bound that is met, and the plane may be passed by one element's jump. No step where the gap is no number.
 * Scratch memory is allocated once. Cost: some dozens of passes over the elements.
 */
export function boundaryStepFor(
  norm: Norm,
  size: number,
  bounds: readonly [number, number],
): (place: BoundaryPlace, out: Float32Array) => void {
  const elements: Elements = {
    low: new Float64Array(size),
    high: new Float64Array(size),
    home: new Float64Array(size),
    value: new Float64Array(size),
  };
  const evaluate = EVALUATE[norm];
  const memory = projectionMemory(size);
  return (place, out) => {
    const { x, x0, normal, gap, radius } = place;
    const shortest = toHyperplane('l2', x, normal, gap, bounds, out, memory);
    if (!Number.isFinite(gap)) return;
    if (shortest > radius) return furthest(place, bounds, out);
    let [reaches, length] = [0, 0];
    for (let i = 0; i < size; i++) {
      const w = normal[i]!;
      reaches += w * out[i]!;
      length += w * w;
    }
    // Even the corner is on this side of the plane.
    if (Math.abs(reaches - gap) > 1e-5 * Math.abs(gap)) return;
    const { low, high, home, value } = elements;
    for (let i = 0; i < size; i++) {
      home[i] = x0[i]! - x[i]!;
      low[i] = bounds[0] - x[i]!;
      high[i] = bounds[1] - x[i]!;
    }
    const scale = Math.sqrt(length) * radius;
    let l = 0;
    const lengthAt = (m: number) => {
      const met = meetPlane(
        (at) => evaluate(elements, normal, at, m),
        gap,
        scale,
        l,
        norm === 'l0' ? JUMP : NARROW,
      );
      l = met.multiplier;
      return Math.sqrt(met.squared);
    };
    if (norm === 'linf') nearestWithin(elements, normal, gap, radius, out, lengthAt);
    else shortenTo(radius, norm === 'l2' ? 0 : (Math.sqrt(size) / radius) * 1e-6, lengthAt);
    let squared = 0;
    for (let i = 0; i < size; i++) squared += value[i]! ** 2;
    // A jump can miss the radius too.
    const fit = Math.min(1, radius / Math.sqrt(squared));
    for (let i = 0; i < size; i++) out[i] = fit * value[i]!;
  };
}

/** Least and greatest change of each element, the change back to the clean sample, and the change that was chosen. */
interface Elements {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly home: Float64Array;
  readonly value: Float64Array;
}

/** `⟨normal, δ⟩`, how fast it grows with the plane's multiplier, and `‖δ‖₂²`. */
interface Sums {
  readonly along: number;
  readonly slope: number;
  readonly squared: number;
}

/** Every element's best change for the plane's multiplier `l` and the second one, `m`: of the radius; in linf the distance. */
type Evaluate = (elements: Elements, b: Float32Array, l: number, m: number) => Sums;

const EVALUATE: Readonly<Record<Norm, Evaluate>> = {
  // min ½(d − δ)² + ½mδ² − l·b·δ
  l2({ low, high, home, value }, b, l, m) {
    let [along, slope, squared] = [0, 0, 0];
    const rate = 1 / (1 + m);
    for (let i = 0; i < b.length; i++) {
      const w = b[i]!;
      let v = (home[i]! + l * w) * rate;
      if (v < low[i]!) v = low[i]!;
      else if (v > high[i]!) v = high[i]!;
      else slope += w * w * rate;
      value[i] = v;
      along += w * v;
      squared += v * v;
    }
    return { along, slope, squared };
  },
  // min ½δ² − l·b·δ with |d − δ| ≤ m
  linf({ low, high, home, value }, b, l, m) {
    let [along, slope, squared] = [0, 0, 0];
    for (let i = 0; i < b.length; i++) {
      const w = b[i]!;
      const d = home[i]!;
      const lower = d - m > low[i]! ? d - m : low[i]!;
      const upper = d + m < high[i]! ? d + m : high[i]!;
      let v = l * w;
      if (v < lower) v = lower;
      else if (v > upper) v = upper;
      else slope += w * w;
      value[i] = v;
      along += w * v;
      squared += v * v;
    }
    return { along, slope, squared };
  },
  // min |d − δ| + ½mδ² − l·b·δ
  l1({ low, high, home, value }, b, l, m) {
    let [along, slope, squared] = [0, 0, 0];
    const rate = 1 / m;
    for (let i = 0; i < b.length; i++) {
      const w = b[i]!;
      const d = home[i]!;
      const pull = l * w;
      const after = (pull - 1) * rate;
      const before = (pull + 1) * rate;
      let v = after > d ? after : before < d ? before : d;
      if (v < low[i]!) v = low[i]!;
      else if (v > high[i]!) v = high[i]!;
      else if (v !== d) slope += w * w * rate;
      value[i] = v;
      along += w * v;
      squared += v * v;
    }
    return { along, slope, squared };
  },
  // min [δ ≠ d] + ½mδ² − l·b·δ
  l0({ low, high, home, value }, b, l, m) {
    let [along, slope, squared] = [0, 0, 0];
    const rate = 1 / m;
    for (let i = 0; i < b.length; i++) {
      const w = b[i]!;
      const d = home[i]!;
      const pull = l * w;
      const free = pull * rate;
      let v = free < low[i]! ? low[i]! : free > high[i]! ? high[i]! : free;
      if (0.5 * m * (d * d - v * v) - pull * (d - v) <= 1) v = d;
      else if (v === free) slope += w * w * rate;
      value[i] = v;
      along += w * v;
      squared += v * v;
    }
    return { along, slope, squared };
  },
};

/** The plane's multiplier at which `along` becomes `gap`, from `start` on: Newton's method in a bracket. */
function meetPlane(
  evaluate: (l: number) => Sums,
  gap: number,
  scale: number,
  start: number,
  narrow: number,
): Sums & { readonly multiplier: number } {
  let [below, above] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let stride = 0;
  let l = start;
  for (let turn = 0; ; turn++) {
    const sums = evaluate(l);
    const error = sums.along - gap;
    if (error < 0) below = l;
    else above = l;
    const isBetween = Number.isFinite(above - below);
    const isOver =
      Math.abs(error) <= PLANE * scale ||
      turn >= MOST ||
      (isBetween && above - below <= narrow * (Math.abs(above) + Math.abs(below)) && error >= 0);
    if (isOver) return { ...sums, multiplier: l };
    const newton = l - error / sums.slope;
    // Every third turn by halves: a jump can hold Newton's method up.
    if (newton > below && newton < above && !(isBetween && turn % 3 === 2)) {
      stride = Math.abs(newton - l);
      l = newton;
    } else if (isBetween) l = (below + above) / 2;
    else {
      stride = stride > 0 ? 4 * stride : Math.max(Math.abs(l), 1e-3);
      l += error < 0 ? stride : -stride;
    }
  }
}

/**
 * The radius' multiplier at which the step is as long as `radius`, or `least`, where it is no longer even there. Lengths fall with the multiplier, nearly as
 * `1 / (a + bm)`: so secants go through their inverses.
 */
function shortenTo(radius: number, least: number, lengthAt: (m: number) => number): void {
  let long = least;
  let longLength = lengthAt(long);
  if (longLength <= radius) return;
  let short = Math.max(1, least * 1e6);
  let shortLength = lengthAt(short);
  for (let turn = 0; turn < MOST && shortLength > radius; turn++) {
    [long, longLength] = [short, shortLength];
    short *= 8;
    shortLength = lengthAt(short);
  }
  let last = short;
  for (let turn = 0; turn < MOST; turn++) {
    if (shortLength >= radius * (1 - RADIUS)) break;
    if (short - long <= JUMP * short) break;
    const share = (1 / (radius * (1 - RADIUS / 2)) - 1 / longLength) / (1 / shortLength - 1 / longLength);
    const middle =
      turn % 3 < 2 && share > 0 && share < 1
        ? long + share * (short - long)
        : long > 0
          ? Math.sqrt(long * short)
          : short / 8;
    const length = lengthAt(middle);
    last = middle;
    if (length > radius) [long, longLength] = [middle, length];
    else [short, shortLength] = [middle, length];
  }
  if (last !== short) lengthAt(short);
}

/** In linf: the least distance within which some step meets plane and radius; `shortest` is a step that meets both. */
function nearestWithin(
  { low, high, home }: Elements,
  b: Float32Array,
  gap: number,
  radius: number,
  shortest: Float32Array,
  lengthAt: (distance: number) => number,
): void {
  let enough = 0;
  for (let i = 0; i < b.length; i++) enough = Math.max(enough, Math.abs(home[i]! - shortest[i]!));
  const suffices = (m: number) => {
    let [least, most] = [0, 0];
    for (let i = 0; i < b.length; i++) {
      const w = b[i]!;
      const from = w * Math.max(low[i]!, home[i]! - m);
      const to = w * Math.min(high[i]!, home[i]! + m);
      least += Math.min(from, to);
      most += Math.max(from, to);
    }
    return gap >= least && gap <= most && lengthAt(m) <= radius;
  };
  let tooNear = 0;
  for (let turn = 0; turn < MOST && enough - tooNear > DISTANCE * enough; turn++) {
    const middle = (enough + tooNear) / 2;
    if (suffices(middle)) enough = middle;
    else tooNear = middle;
  }
  lengthAt(enough);
}

/** The step of length `radius` within the bounds that goes furthest towards the plane: `clip(t · w)` for one `t`. */
function furthest(
  { x, normal, gap, radius }: BoundaryPlace,
  [low, high]: readonly [number, number],
  out: Float32Array,
): void {
  const side = Math.sign(gap);
  // Σ min(s·w², room²) = radius² for s = t²: concave and piecewise linear, so Newton's method approaches from below.
  let s = 0;
  for (;;) {
    let slope = 0;
    let filled = 0;
    for (let i = 0; i < x.length; i++) {
      const w = normal[i]! * side;
      const room = Math.max(0, w > 0 ? high - x[i]! : x[i]! - low);
      if (s * w * w < room * room) slope += w * w;
      else if (w !== 0) filled += room * room;
    }
    const next = (radius * radius - filled) / slope;
    if (!(next > s && next < Number.POSITIVE_INFINITY)) break;
    s = next;
  }
  const t = Math.sqrt(s);
  for (let i = 0; i < x.length; i++) {
    const move = t * side * normal[i]!;
    out[i] = Math.min(high - x[i]!, Math.max(low - x[i]!, move));
  }
}
