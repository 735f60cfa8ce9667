import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { type Rng, randomFrom } from '../../src/core/random.ts';
import type { AttributeInput } from '../../src/onnx/attributes.ts';
import { type DType, isFloat } from '../../src/onnx/dtype.ts';
import { type AddOptions, BUILD_OPSET, GraphBuilder, type Value } from '../../src/onnx/graph-builder.ts';
import type { Model } from '../../src/onnx/model.ts';
import { elementCount, tensorFrom } from '../../src/onnx/tensor.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import type { GradientOptions } from '../../src/transform/gradient/rule.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { canEvaluate, evaluate } from '../reference/evaluate.ts';
import type { RefTensor } from '../reference/tensor.ts';

/** One input of a case: its elements are `values`, or uniform in `range` (default [−2, 2]; integers for `kind: 'linear'`). */
export interface CaseInput {
  readonly dims: readonly number[];
  /** float32 unless given. */
  readonly dtype?: DType;
  readonly range?: readonly [number, number];
  readonly values?: readonly number[];
  /** A constant of the graph, not an input: for axes, shapes, constant exponents. */
  readonly constant?: boolean;
}

/** A one-node model whose gradient is checked. */
export interface GradientCase {
  readonly op: string;
  readonly domain?: string;
  /** What is special about it, for the test's name. */
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  /** `null` is an absent optional input. */
  readonly inputs: readonly (CaseInput | null)[];
  /** Inputs to differentiate with respect to: all float inputs that are not constants unless given. */
  readonly wrt?: readonly number[];
  /** Inputs whose gradient is also wanted per sample. */
  readonly perSample?: readonly number[];
  /** Number of outputs, 1 unless given. */
  readonly outputs?: number;
  /** Outputs that get a cotangent: the first unless given. */
  readonly cotangents?: readonly number[];
  /** Output types, where the operator has no shape rule. */
  readonly types?: NonNullable<AddOptions['types']>;
  readonly opset?: number;
  readonly options?: GradientOptions;
  /**
   * `linear`: linear in each input by itself; small integers and exact equality. `smooth`: differentiable at the points
   * that the inputs give; central differences. `stop`: no gradient at all.
   */
  readonly kind: 'linear' | 'smooth' | 'stop';
  /**
   * The gradients of `wrt` for a cotangent of ones, instead of differences: at kinks, and where the gradient is not the
   * derivative (straight-through).
   */
  readonly expected?: readonly (readonly number[])[];
  /** Of the float32 run, relative to the largest entry (or one): 1e-4 unless given. */
  readonly tolerance?: number;
}

/** The test's name of a case. */
export function nameOf(c: GradientCase): string {
  const shapes = c.inputs.map((i) => (i === null ? '–' : `[${i.dims}]`)).join(' ');
  return `${c.domain ? `${c.domain}.` : ''}${c.op} ${shapes}${c.title ? `: ${c.title}` : ''}`;
}

/** The values of a case's graph. */
interface Written {
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  /** Cotangents, by output. */
  readonly given: ReadonlyMap<number, Value>;
  readonly grads: readonly Value[];
  readonly model: Model;
}

/**
 * Checks one case; see {@link GradientCase}. The gradient graph is run in float32 by ONNX Runtime and evaluated in float64
 * by the reference evaluator, both against differences of the forward pass (or `expected`); then every subset of `wrt`
 * must give the same gradients without a node for the others, and per-sample gradients must be those of single samples.
 */
export async function checkGradient(c: GradientCase): Promise<void> {
  const rng = randomFrom(7, nameOf(c), JSON.stringify(c.attributes ?? {}));
  const wrt =
    c.wrt ?? c.inputs.flatMap((i, k) => (i && !i.constant && isFloat(i.dtype ?? 'float32') ? [k] : []));
  const constants = c.inputs.map((i) => (i ? dataOf(i, c.kind, rng) : null));
  const w = write(c, constants, wrt, c.perSample ?? []);
  const data = new Map<string, RefTensor>();
  w.inputs.forEach((v, k) => {
    if (v && !c.inputs[k]!.constant) data.set(v.name, constants[k]!);
  });
  for (const v of w.given.values()) {
    const values = c.expected
      ? { dims: v.dims, values: new Array<number>(elementCount(v.dims)).fill(1) }
      : { dims: v.dims };
    data.set(v.name, { ...dataOf(values, c.kind, rng), dtype: v.dtype });
  }
  const session = await InferenceSession.create(serializeModel(w.model), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const run = (inputs: ReadonlyMap<string, RefTensor>) => runOrt(session, inputs);
  const got = await run(data);
  const tolerance = c.kind === 'linear' ? 0 : (c.tolerance ?? 1e-4);
  w.grads.forEach((g, k) => {
    expect(g.dims, `shape of the gradient of input ${wrt[k]}`).toEqual(w.inputs[wrt[k]!]!.dims);
  });

  const reference = canEvaluate(w.model) ? evaluate(w.model, data) : undefined;
  if (reference) {
    for (const name of got.keys()) {
      close(
        got.get(name)!.data,
        reference.get(name)!.data,
        tolerance,
        `${name}: ONNX Runtime and the reference evaluator`,
      );
    }
  }
  if (c.kind === 'stop') {
    for (const k of wrt.keys()) expect(Array.from(got.get(`d${k}`)!.data).every((v) => v === 0)).toBe(true);
  } else if (c.expected) {
    c.expected.forEach((e, k) => {
      close(got.get(`d${k}`)!.data, e, tolerance, `gradient of input ${wrt[k]}`);
    });
  } else if (c.kind === 'linear') {
    for (const k of wrt.keys()) await adjointIdentity(c, w, wrt[k]!, k, data, got, run, rng);
  }
  if (c.kind !== 'stop' && !c.expected && c.kind !== 'linear' && !forward(c, constants)) {
    throw new Error(`${c.op}: a smooth case needs the operator in test/reference`);
  }
  const f = c.kind !== 'stop' && !c.expected ? forward(c, constants) : undefined;
  if (f) {
    for (const [k, i] of wrt.entries()) {
      const elements = probed(constants[i]!.data.length, c.kind === 'linear');
      const differences = centralDifferences(f, i, elements, constants, w, data, c.kind === 'linear');
      const of = (values: ReadonlyMap<string, RefTensor>) =>
        elements.map((e) => values.get(`d${k}`)!.data[e]!);
      close(of(got), differences, tolerance, `gradient of input ${i} in float32`);
      if (reference) {
        close(
          of(reference),
          differences,
          c.kind === 'linear' ? 0 : 1e-6,
          `gradient of input ${i} in float64`,
        );
      }
    }
  }
  partialNeeds(c, constants, wrt, data, reference);
  await perSampleGradients(c, w, wrt, data, got, run, tolerance);
  await session.release();
}

/** Writes the node and its gradients. */
function write(
  c: GradientCase,
  constants: readonly (RefTensor | null)[],
  wrt: readonly number[],
  perSample: readonly number[],
): Written {
  const b = opsOn(new GraphBuilder(c.opset ?? BUILD_OPSET));
  const inputs = c.inputs.map((i, k) => {
    if (i === null) return null;
    const t = constants[k]!;
    return i.constant
      ? b.builder.constant(tensorFrom(t.dtype, t.dims, t.data))
      : b.builder.input(`x${k}`, t.dtype, t.dims);
  });
  const outputs = b.nodes(c.op, inputs, c.attributes ?? {}, {
    domain: c.domain ?? '',
    outputs: c.outputs ?? 1,
    ...(c.types ? { types: c.types } : {}),
  });
  const given = new Map(
    (c.cotangents ?? [0]).map((k) => [k, b.builder.input(`g${k}`, outputs[k]!.dtype, outputs[k]!.dims)]),
  );
  const cotangents = [...given].map(([k, grad]) => ({ value: outputs[k]!, grad }));
  const at = (k: number) => inputs[k]!;
  const before = b.builder.nodes.length;
  const grads = vjp(b, cotangents, wrt.map(at), c.options);
  const each = perSample.map((k) => vjp(b, cotangents, [at(k)], { ...c.options, perSample: [at(k)] })[0]!);
  const named = (letter: string, values: readonly Value[]) =>
    values.map((v, k): [string, Value] => [`${letter}${k}`, v]);
  const model = b.builder.build(
    Object.fromEntries([...named('y', outputs), ...named('d', grads), ...named('p', each)]),
  );
  const idle = b.builder.nodes
    .slice(before)
    .filter((n) => !model.graph.nodes.some((m) => m.name === n.node.name));
  expect(
    idle.map((n) => n.node.op),
    'nodes that no wanted gradient uses',
  ).toEqual([]);
  return { inputs, outputs, given, grads, model };
}

function dataOf(input: CaseInput, kind: GradientCase['kind'], rng: Rng): RefTensor {
  const dtype = input.dtype ?? 'float32';
  const n = elementCount(input.dims);
  const [low, high] = input.range ?? [-2, 2];
  const draw = () =>
    kind === 'linear'
      ? Math.round(low) + rng.integer(Math.round(high - low) + 1)
      : low + (high - low) * rng.uniform();
  const values = input.values ?? Array.from({ length: n }, draw);
  expect(values.length, 'values of a case').toBe(n);
  // Through the type, so that both sides start from the same numbers.
  return {
    dims: input.dims,
    dtype,
    data: dtype === 'float32' ? Float64Array.from(Float32Array.from(values)) : Float64Array.from(values),
  };
}

type Run = (inputs: ReadonlyMap<string, RefTensor>) => Promise<Map<string, RefTensor>>;

async function runOrt(
  session: InferenceSession,
  inputs: ReadonlyMap<string, RefTensor>,
): Promise<Map<string, RefTensor>> {
  const feeds: Record<string, OrtTensor> = {};
  for (const name of session.inputNames) {
    const t = inputs.get(name)!;
    feeds[name] = ortTensor(t);
  }
  const results = await session.run(feeds);
  return new Map(
    Object.entries(results).map(([name, t]) => [
      name,
      { dims: [...t.dims], dtype: t.type as DType, data: Float64Array.from(t.data as Float32Array, Number) },
    ]),
  );
}

function ortTensor({ dtype, dims, data }: RefTensor): OrtTensor {
  switch (dtype) {
    case 'float32':
      return new OrtTensor('float32', Float32Array.from(data), dims);
    case 'float64':
      return new OrtTensor('float64', data, dims);
    case 'int64':
      return new OrtTensor('int64', BigInt64Array.from(data, BigInt), dims);
    case 'int32':
      return new OrtTensor('int32', Int32Array.from(data), dims);
    case 'bool':
      return new OrtTensor('bool', Uint8Array.from(data), dims);
    default:
      throw new Error(`check-gradient: no tensors of ${dtype} yet`);
  }
}

/** Equal up to `tolerance` times the largest entry of `want` (or one); both infinite or NaN in the same places. */
function close(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string): void {
  expect(got.length, `${what}: number of elements`).toBe(want.length);
  let scale = 1;
  for (let i = 0; i < want.length; i++)
    if (Number.isFinite(want[i]!)) scale = Math.max(scale, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++) {
    const good = Number.isFinite(want[i]!)
      ? Math.abs(got[i]! - want[i]!) <= tolerance * scale
      : Object.is(got[i], want[i]);
    if (!good) expect(Array.from(got), `${what}: element ${i}`).toEqual(Array.from(want));
  }
}

/** ⟨g, Jv⟩ = ⟨Jᵀg, v⟩ for a random `v` on input `i`, everything in integers that float32 holds exactly. */
async function adjointIdentity(
  c: GradientCase,
  w: Written,
  i: number,
  k: number,
  data: ReadonlyMap<string, RefTensor>,
  got: ReadonlyMap<string, RefTensor>,
  run: Run,
  rng: Rng,
): Promise<void> {
  const name = w.inputs[i]!.name;
  const x = data.get(name)!;
  const v = dataOf({ dims: x.dims }, c.kind, rng);
  const at = await run(new Map([...data, [name, { ...v, dtype: x.dtype }]]));
  const zero = await run(new Map([...data, [name, { ...x, data: new Float64Array(x.data.length) }]]));
  let left = 0;
  for (const [output, g] of w.given) {
    const [one, none] = [at.get(`y${output}`)!.data, zero.get(`y${output}`)!.data];
    data.get(g.name)!.data.forEach((value, j) => {
      left += value * (one[j]! - none[j]!);
    });
  }
  let right = 0;
  got.get(`d${k}`)!.data.forEach((value, j) => {
    right += value * v.data[j]!;
  });
  expect(right, `adjoint identity of input ${i}`).toBe(left);
}

type Forward = (inputs: ReadonlyMap<string, RefTensor>) => Map<string, RefTensor>;

/** The forward pass alone in the reference evaluator, where that has the operator. */
function forward(c: GradientCase, constants: readonly (RefTensor | null)[]): Forward | undefined {
  const { model } = write({ ...c, cotangents: [] }, constants, [], []);
  return canEvaluate(model) ? (inputs) => evaluate(model, inputs) : undefined;
}

/**
 * The elements that are held against differences: all of them; of large inputs of linear operators, which the adjoint
 * identity covers as a whole, about thirty spread over the tensor.
 */
function probed(count: number, linear: boolean): number[] {
  const stride = linear ? Math.max(1, Math.floor(count / 30)) : 1;
  return Array.from({ length: count }, (_, k) => k).filter((k) => k % stride === 0);
}

/** Derivative of `Σ ⟨g, y⟩` by some `elements` of input `i`: `(f(x + h) − f(x − h)) / 2h`; `h` is one where `f` is linear. */
function centralDifferences(
  f: Forward,
  i: number,
  elements: readonly number[],
  constants: readonly (RefTensor | null)[],
  w: Written,
  data: ReadonlyMap<string, RefTensor>,
  linear: boolean,
): number[] {
  const x = constants[i]!;
  const value = (element: number, shift: number): number => {
    const shifted = Float64Array.from(x.data);
    shifted[element] = shifted[element]! + shift;
    const y = f(new Map([...data, [w.inputs[i]!.name, { ...x, data: shifted }]]));
    let sum = 0;
    for (const [output, g] of w.given) {
      const out = y.get(`y${output}`)!.data;
      data.get(g.name)!.data.forEach((v, j) => {
        sum += v * out[j]!;
      });
    }
    return sum;
  };
  return elements.map((element) => {
    const h = linear ? 1 : 1e-5 * Math.max(1, Math.abs(x.data[element]!));
    return (value(element, h) - value(element, -h)) / (2 * h);
  });
}

/** Every subset of `wrt` gives the same gradients and builds nothing else ({@link write} refuses idle nodes). */
function partialNeeds(
  c: GradientCase,
  constants: readonly (RefTensor | null)[],
  wrt: readonly number[],
  data: ReadonlyMap<string, RefTensor>,
  full: ReadonlyMap<string, RefTensor> | undefined,
): void {
  for (let mask = 1; mask < 2 ** wrt.length - 1; mask++) {
    const some = wrt.filter((_, k) => (mask >> k) & 1);
    const { model } = write(c, constants, some, []);
    if (!full) continue;
    const got = evaluate(model, data);
    some.forEach((i, k) => {
      close(
        got.get(`d${k}`)!.data,
        full.get(`d${wrt.indexOf(i)}`)!.data,
        1e-9,
        `gradient of input ${i} when only [${some}] are wanted`,
      );
    });
  }
}

/** `[batch, ...dims]`; sample `n` is the gradient for the cotangent of that sample alone, and their sum is the gradient. */
async function perSampleGradients(
  c: GradientCase,
  w: Written,
  wrt: readonly number[],
  data: ReadonlyMap<string, RefTensor>,
  got: ReadonlyMap<string, RefTensor>,
  run: Run,
  tolerance: number,
): Promise<void> {
  for (const [p, i] of (c.perSample ?? []).entries()) {
    const each = got.get(`p${p}`)!;
    const batch = w.outputs[[...w.given.keys()][0]!]!.dims[0]!;
    expect(each.dims, `shape of the per-sample gradient of input ${i}`).toEqual([
      batch,
      ...w.inputs[i]!.dims,
    ]);
    const size = elementCount(w.inputs[i]!.dims);
    const sum = new Float64Array(size);
    for (let n = 0; n < batch; n++) {
      const own = each.data.subarray(n * size, (n + 1) * size);
      own.forEach((v, j) => {
        sum[j] = sum[j]! + v;
      });
      const masked = new Map(data);
      for (const g of w.given.values()) {
        const t = data.get(g.name)!;
        const row = t.data.length / batch;
        masked.set(g.name, { ...t, data: t.data.map((v, j) => (Math.floor(j / row) === n ? v : 0)) });
      }
      const alone = await run(masked);
      close(
        own,
        alone.get(`d${wrt.indexOf(i)}`)!.data,
        tolerance,
        `sample ${n} of the gradient of input ${i}`,
      );
    }
    close(
      sum,
      got.get(`d${wrt.indexOf(i)}`)!.data,
      tolerance,
      `sum of the per-sample gradients of input ${i}`,
    );
  }
}
