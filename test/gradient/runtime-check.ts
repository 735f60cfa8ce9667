import { expect } from 'vitest';
import { randomFrom } from '../../src/core/random.ts';
import { GraphBuilder, type Value } from '../../src/onnx/graph-builder.ts';
import { elementCount, tensorFrom } from '../../src/onnx/tensor.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import { openOrt } from '../../src/runtime/ort.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { type Ops, opsOn } from '../../src/transform/ops.ts';

/** An input of a case: drawn uniformly from `[low, high]` (−1 and 1 unless given) or given by `data`. */
export interface CaseInput {
  readonly dims: readonly number[];
  readonly low?: number;
  readonly high?: number;
  readonly data?: readonly number[];
  /** No gradient is taken with respect to it. */
  readonly fixed?: boolean;
}

/** A small graph whose gradients are compared with finite differences of what the runtime computes. */
export interface RuntimeCase {
  readonly name: string;
  readonly inputs: readonly CaseInput[];
  make(b: Ops, x: readonly Value[]): Value | readonly Value[];
  /** float64 unless the runtime has the operator in float32 only. */
  readonly dtype?: 'float32' | 'float64';
  /** Half the distance of a central difference. */
  readonly step?: number;
  /** Largest error, relative where the gradient exceeds 1. */
  readonly tolerance?: number;
  readonly opset?: number;
  /** Inputs whose per-sample gradients are compared with those of one sample at a time. */
  readonly perSample?: readonly number[];
}

type Arrays = readonly (Float32Array | Float64Array)[];

/** A constant int64 list, or tensor of `dims`. */
export function int64(b: Ops, values: readonly number[], dims: readonly number[] = [values.length]): Value {
  return b.builder.constant(tensorFrom('int64', dims, values));
}

/** A constant float32 list. */
export function float32(b: Ops, values: readonly number[]): Value {
  return b.builder.constant(tensorFrom('float32', [values.length], values));
}

/**
 * Runs `c` in ONNX Runtime and holds every element of every gradient against a central difference of `Σ ⟨cotangent, output⟩`;
 * also that each input's gradient is the same when it alone is asked for, and the per-sample gradients.
 */
export async function checkAgainstRuntime(c: RuntimeCase): Promise<void> {
  const dtype = c.dtype ?? 'float64';
  const step = c.step ?? (dtype === 'float64' ? 1e-6 : 1e-2);
  const tolerance = c.tolerance ?? (dtype === 'float64' ? 1e-6 : 5e-3);
  const b = opsOn(new GraphBuilder(c.opset ?? 21));
  const x = c.inputs.map((input, i) => b.builder.input(`x${i}`, dtype, input.dims));
  const made = c.make(b, x);
  const y = 'name' in made ? [made] : made;
  const g = y.map((v, i) => b.builder.input(`g${i}`, dtype, v.dims));
  const cotangents = y.map((value, i) => ({ value, grad: b.node('Identity', [g[i]!]) }));
  const wanted = x.filter((_, i) => !c.inputs[i]!.fixed);
  const together = vjp(b, cotangents, wanted);
  const outputs: Record<string, Value> = {};
  for (const [i, v] of y.entries()) outputs[`y${i}`] = v;
  for (const [i, v] of wanted.entries()) {
    outputs[`all_${v.name}`] = together[i]!;
    outputs[`alone_${v.name}`] = vjp(b, cotangents, [v])[0]!;
  }
  for (const i of c.perSample ?? [])
    outputs[`each_x${i}`] = vjp(b, cotangents, [x[i]!], { perSample: [x[i]!] })[0]!;
  const session = await openOrt(serializeModel(b.builder.build(outputs)), { device: 'cpu', threads: 1 });
  try {
    const rng = randomFrom(7, c.name);
    const array = (n: number, f: (i: number) => number) =>
      dtype === 'float64'
        ? Float64Array.from({ length: n }, (_, i) => f(i))
        : Float32Array.from({ length: n }, (_, i) => f(i));
    const given: Arrays = c.inputs.map(({ dims, data, low = -1, high = 1 }) =>
      array(elementCount(dims), (i) => data?.[i] ?? low + (high - low) * rng.uniform()),
    );
    const weights: Arrays = y.map((v) => array(elementCount(v.dims), () => 2 * rng.uniform() - 1));
    const run = async (values: Arrays, cots: Arrays, fetches?: readonly string[]) => {
      const feeds = [
        ...x.map((v, i) => [v, values[i]!] as const),
        ...g.map((v, i) => [v, cots[i]!] as const),
      ];
      const results = await session.run(
        Object.fromEntries(feeds.map(([v, data]) => [v.name, { dtype, dims: v.dims, data }])),
        fetches,
      );
      return (name: string) => Array.from(results[name]!.data as Float64Array);
    };
    const names = y.map((_, i) => `y${i}`);
    const objective = async (values: Arrays) => {
      const results = await run(values, weights, names);
      return names.reduce(
        (sum, name, i) => sum + results(name).reduce((s, v, k) => s + v * weights[i]![k]!, 0),
        0,
      );
    };
    const results = await run(given, weights);
    for (const [i, input] of c.inputs.entries()) {
      if (input.fixed) continue;
      const gradient = results(`all_x${i}`);
      expect(gradient.length, `elements of the gradient of x${i}`).toBe(given[i]!.length);
      for (const [k, got] of gradient.entries()) {
        const at = (d: number) => objective(given.map((v, j) => (j === i ? v.with(k, v[k]! + d) : v)));
        const difference = ((await at(step)) - (await at(-step))) / (2 * step);
        const error = Math.abs(got - difference) / Math.max(1, Math.abs(difference));
        expect(error, `x${i}[${k}]: ${got} for ${difference}`).toBeLessThan(tolerance);
      }
      for (const [k, v] of results(`alone_x${i}`).entries())
        expect(v, `x${i}[${k}] alone`).toBeCloseTo(gradient[k]!, 5);
    }
    for (const i of c.perSample ?? []) {
      const each = results(`each_x${i}`);
      const batch = y[0]!.dims[0]!;
      for (let n = 0; n < batch; n++) {
        const masked = weights.map((w) =>
          w.map((v, k) => (Math.floor((k * batch) / w.length) === n ? v : 0)),
        );
        const one = (await run(given, masked))(`all_x${i}`);
        for (const [k, v] of one.entries())
          expect(each[n * one.length + k], `sample ${n}, x${i}[${k}]`).toBeCloseTo(v, 4);
      }
    }
  } finally {
    await session.close();
  }
}
