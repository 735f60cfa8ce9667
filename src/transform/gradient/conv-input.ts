import type { Value } from '../../onnx/graph-builder.ts';
import { elementCount, numbersOf, stridesOf, type Tensor, tensorFrom } from '../../onnx/tensor.ts';
import type { Ops } from '../ops.ts';
import { tuples, type Window } from './window.ts';

/** Strides with more phases than this (patch embeddings) go through `ConvTranspose`: its product has no waste there. */
const MOST_PHASES = 9;

/**
 * Up to so many input channels (the image itself), `ConvTranspose` is cheaper: convolutions compute whole blocks of output
 * channels (measured, 16 to 1 channels on 250×28×28: 1.2 ms against 8.3 ms).
 */
const FEW_CHANNELS = 4;

/**
 * Gradient of a convolution with respect to its input, `[N, I, L…]`.
 *
 * It is written as convolutions with stride 1, whose weights are flipped and transposed: constant ones when the graph is built,
 * so that the runtime prepacks them, computed ones (training) by the graph. A stride `s` splits the input's positions into `s` residue classes per
 * axis; each class (a *phase*) meets only its own share of the kernel's taps, so that the phases together cost exactly
 * the forward's multiplications and are interleaved at the end (sub-pixel convolution, Shi et al. 2016).
 * Computed weights in groups go through `ConvTranspose`.
 *
 * @param g cotangent of the output, `[N, O, P…]`
 * @param w weights `[O, I / group, K…]`
 * @param dims shape of the input
 */
export function convInputGradient(
  b: Ops,
  g: Value,
  w: Value,
  dims: readonly number[],
  window: Window,
  group: number,
): Value {
  if (elementCount(dims) === 0 || elementCount(g.dims) === 0) return b.full(dims, 0, g.dtype);
  const phaseCount = elementCount(window.strides);
  if (phaseCount > MOST_PHASES || (group === 1 && dims[1]! <= FEW_CHANNELS) || (!w.data && group > 1)) {
    return transposedConvolution(b, g, w, dims, window, group);
  }
  const axes = window.kernel.length;
  const phases = window.strides.map((s) => Array.from({ length: s }, (_, r) => r));
  const plans = phases.map((list, a) => list.map((r) => phaseOf(r, a, dims[2 + a]!, g.dims[2 + a]!, window)));
  const parts: Value[] = [];
  for (const at of tuples(window.strides)) {
    const plan = at.map((r, a) => plans[a]![r]!);
    const sizes = plan.map((p) => p.length);
    if (plan.some((p) => p.taps.length === 0)) {
      parts.push(b.full([dims[0]!, dims[1]!, ...sizes], 0, g.dtype));
      continue;
    }
    const taps = plan.map((p) => p.taps);
    const weights = w.data ? b.builder.constant(flippedTaps(w.data, taps, group)) : gatheredTaps(b, w, taps);
    const crop = (g0: Value) =>
      plan.reduce((v, p, a) => b.slice(v, 2 + a, p.cropBefore, g.dims[2 + a]! - p.cropAfter), g0);
    parts.push(
      b.node('Conv', [crop(g), weights], {
        kernel_shape: plan.map((p) => p.taps.length),
        dilations: plan.map((p) => p.dilation),
        pads: [...plan.map((p) => p.before), ...plan.map((p) => p.after)],
        strides: new Array<number>(axes).fill(1),
        group,
      }),
    );
  }
  return interleave(b, parts, window.strides, dims);
}

/** One residue class of one axis: which taps reach it, and how the cotangent is read for them. */
interface Phase {
  /** Kernel positions, in the order in which they are met as the cotangent's index rises. */
  readonly taps: readonly number[];
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly cropBefore: number;
  readonly cropAfter: number;
  /** Output positions: `ceil(L / stride)` for every phase; the surplus is cut off after interleaving. */
  readonly length: number;
}

/** Input position `i = s·q + r` gets `Σ_k w[k] · g[(i + p − d·k) / s]` over the `k` for which that index is whole. */
function phaseOf(
  r: number,
  axis: number,
  inputLength: number,
  gradLength: number,
  { kernel, strides, dilations, before }: Window,
): Phase {
  const s = strides[axis]!;
  const d = dilations[axis]!;
  const p = before[axis]!;
  const length = Math.ceil(inputLength / s);
  const taps: number[] = [];
  for (let k = kernel[axis]! - 1; k >= 0; k--) if ((((r + p - d * k) % s) + s) % s === 0) taps.push(k);
  const offsets = taps.map((k) => (r + p - d * k) / s);
  const first = offsets[0] ?? 0;
  const last = offsets.at(-1) ?? 0;
  // No tap at all, or taps that only ever meet indices before or behind the cotangent.
  if (taps.length === 0 || first >= gradLength || length - 1 + last < 0)
    return { taps: [], dilation: 1, before: 0, after: 0, cropBefore: 0, cropAfter: 0, length };
  const left = -first;
  const right = length - 1 + last - (gradLength - 1);
  return {
    taps,
    dilation: taps.length > 1 ? offsets[1]! - first : 1,
    before: Math.max(0, left),
    after: Math.max(0, right),
    cropBefore: Math.max(0, -left),
    cropAfter: Math.max(0, -right),
    length,
  };
}

/** Weights `[O, I/g, K…]` as `[I, O/g, T…]`, holding only `taps` of each axis, in that order. */
export function flippedTaps(w: Tensor, taps: readonly (readonly number[])[], group: number): Tensor {
  const [o, ig] = [w.dims[0]!, w.dims[1]!];
  const og = o / group;
  const values = numbersOf(w);
  const strides = stridesOf(w.dims);
  const dims = [ig * group, og, ...taps.map((t) => t.length)];
  const out =
    w.dtype === 'float64' ? new Float64Array(elementCount(dims)) : new Float32Array(elementCount(dims));
  const places = [...tuples(taps.map((t) => t.length))].map((at) =>
    at.reduce((sum, j, a) => sum + taps[a]![j]! * strides[2 + a]!, 0),
  );
  let to = 0;
  for (let channel = 0; channel < dims[0]!; channel++) {
    const part = Math.floor(channel / ig);
    for (let k = 0; k < og; k++) {
      const from = (part * og + k) * strides[0]! + (channel % ig) * strides[1]!;
      for (const place of places) out[to++] = values[from + place]!;
    }
  }
  return tensorFrom(w.dtype, dims, out);
}

/** What {@link flippedTaps} does, as nodes, for weights `[O, I, K…]` that are computed: taps are rows of `[K, I·O]`. */
function gatheredTaps(b: Ops, w: Value, taps: readonly (readonly number[])[]): Value {
  const [o, i, ...kernel] = w.dims as [number, number, ...number[]];
  const spatial = kernel.map((_, a) => a);
  const rank = spatial.length;
  const rows = b.reshape(b.transpose(w, [...spatial.map((a) => a + 2), 1, 0]), [elementCount(kernel), i * o]);
  const steps = stridesOf(kernel);
  const sizes = taps.map((t) => t.length);
  const chosen = [...tuples(sizes)].map((at) => at.reduce((sum, j, a) => sum + taps[a]![j]! * steps[a]!, 0));
  const picked = b.gather(rows, b.ints(chosen), 0);
  return b.transpose(b.reshape(picked, [...sizes, i, o]), [rank, rank + 1, ...spatial]);
}

/** Puts phases `[N, C, ceil(L/s)…]` (last axis' phase fastest) into their places of `[N, C, L…]`. */
export function interleave(
  b: Ops,
  parts: readonly Value[],
  strides: readonly number[],
  dims: readonly number[],
): Value {
  if (parts.length === 1) return parts[0]!;
  const [n, c] = [dims[0]!, dims[1]!];
  const sizes = parts[0]!.dims.slice(2);
  const joined = b.concat(parts, 1);
  let full: Value;
  if (strides.length === 2 && strides[0] === strides[1])
    full = b.node('DepthToSpace', [joined], { blocksize: strides[0]!, mode: 'DCR' });
  else {
    const rank = strides.length;
    const split = b.reshape(joined, [n, ...strides, c, ...sizes]);
    const perm = [0, rank + 1, ...strides.flatMap((_, a) => [rank + 2 + a, 1 + a])];
    full = b.reshape(b.transpose(split, perm), [n, c, ...sizes.map((l, a) => l * strides[a]!)]);
  }
  return sizes.reduce((v, _, a) => b.slice(v, 2 + a, 0, dims[2 + a]!), full);
}

function transposedConvolution(
  b: Ops,
  g: Value,
  w: Value,
  dims: readonly number[],
  window: Window,
  group: number,
): Value {
  const { kernel, strides, dilations, before, after } = window;
  const reach = kernel.map(
    (k, a) => strides[a]! * (g.dims[2 + a]! - 1) + dilations[a]! * (k - 1) + 1 - before[a]! - after[a]!,
  );
  const full = b.node('ConvTranspose', [g, w], {
    kernel_shape: kernel,
    strides,
    dilations,
    group,
    pads: [...before, ...after],
    output_padding: reach.map((l, a) => Math.max(0, Math.min(strides[a]! - 1, dims[2 + a]! - l))),
  });
  // Positions that no window reaches have gradient zero.
  return b.pad(
    full,
    dims.map(() => 0),
    dims.map((d, i) => d - full.dims[i]!),
  );
}
