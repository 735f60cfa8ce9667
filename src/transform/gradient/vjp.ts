import { GlacisError } from '../../core/error.ts';
import { attributesOf } from '../../onnx/attributes.ts';
import { isFloat } from '../../onnx/dtype.ts';
import type { BuiltNode, Value } from '../../onnx/graph-builder.ts';
import { type Ops, sameDims } from '../ops.ts';
import { stepsFrom } from '../steps.ts';
import { addGradients } from './accumulate.ts';
import { reasonAgainst } from './reasons.ts';
import { ruleFor } from './registry.ts';
import type { GradientOptions, RuleContext } from './rule.ts';

/** A cotangent: the gradient of the scalar of interest with respect to `value`, with its shape. */
export interface Cotangent {
  readonly value: Value;
  readonly grad: Value;
}

/** What {@link vjp} differentiates with respect to. */
export interface VjpOptions extends GradientOptions {
  /** Values among `wrt` whose gradients are wanted per sample, `[batch, ...dims]`, not summed over the batch. */
  readonly perSample?: readonly Value[];
  /** Values that count as constants, whatever they were made of (an adversarial example, say). They may be in `wrt`. */
  readonly constants?: readonly Value[];
}

/** One input of a node that takes a value, with the cotangents of the node's outputs. */
export interface Use {
  readonly built: BuiltNode;
  /** Which input. */
  readonly at: number;
  readonly outGrads: readonly (Value | null)[];
}

/**
 * Adds to the graph the vector-Jacobian product `Σ_k ⟨cotangent_k, ∂value_k/∂w⟩` for each `w` of `wrt` and gives those
 * gradients, in order, each with the shape (and type) of its `w`; a `w` that nothing depends on gets zeros.
 *
 * Reverse mode over the nodes built so far: only nodes between `wrt` and the cotangents are visited and only gradients that
 * lead to `wrt` are built. Integer, bool and shape paths are stop-gradients.
 * Errors: `gradient/unsupported`, naming every node on the path that cannot be differentiated, all at once.
 */
export function vjp(
  b: Ops,
  cotangents: readonly Cotangent[],
  wrt: readonly Value[],
  options: VjpOptions = {},
): readonly Value[] {
  const grads = walkBack(b, cotangents, wrt, options);
  return wrt.map((w) => grads.get(w.name) ?? b.zerosLike(w));
}

/**
 * Like {@link vjp}, but stops at `wrt`: gives, for each of them, where it is used and what the cotangents are there, from which
 * {@link gradientAt} writes gradients. Where one of them is made from another, the way stops at the first. Errors: as {@link vjp}.
 */
export function usesOf(
  b: Ops,
  cotangents: readonly Cotangent[],
  wrt: readonly Value[],
  options: Omit<VjpOptions, 'perSample'> = {},
): readonly (readonly Use[])[] {
  const uses = new Map(wrt.map((v) => [v.name, [] as Use[]]));
  walkBack(b, cotangents, wrt, options, uses);
  return wrt.map((v) => uses.get(v.name)!);
}

/**
 * The gradient of the value that `use` takes by that use alone, from cotangents `outGrads` in place of the use's own; per sample
 * `[batch, ...dims]` where asked for. Errors: `gradient/unsupported`.
 */
export function gradientAt(
  b: Ops,
  { built, at, outGrads }: Use,
  { perSample = false, ...options }: GradientOptions & { readonly perSample?: boolean } = {},
): Value {
  const { node, inputs } = built;
  const rule = ruleFor(node.domain, node.op, b.builder.opsets.get(node.domain) ?? 1);
  const where = `${node.name} (${node.op})`;
  if (!rule || (perSample && !rule.perSample))
    throw new GlacisError('gradient/unsupported', `${where}: no per-sample gradient for this operator`);
  const needs = inputs.map((_, i) => i === at);
  const samples = new Set(perSample ? [inputs[at]!.name] : []);
  const gradient = rule.grad(contextOf(b, built, outGrads, needs, samples, options))[at];
  const dims = perSample ? [outGrads.find((g) => g)!.dims[0]!, ...inputs[at]!.dims] : inputs[at]!.dims;
  if (!gradient) return b.full(dims, 0, inputs[at]!.dtype);
  if (!sameDims(gradient.dims, dims))
    throw new GlacisError(
      'gradient/unsupported',
      `${where}: expected a gradient of [${dims}], got [${gradient.dims}]`,
    );
  return gradient;
}

/** Gradients by the values' names. With `stops`, nothing is written for these values: their uses are added there. */
function walkBack(
  b: Ops,
  cotangents: readonly Cotangent[],
  wrt: readonly Value[],
  options: VjpOptions,
  stops: ReadonlyMap<string, Use[]> = new Map(),
): ReadonlyMap<string, Value> {
  const nodes = [...b.builder.nodes];
  const constants = new Set((options.constants ?? []).map((v) => v.name));
  const discrete = options.rounding === 'straight-through' ? passable(nodes, wrt) : undefined;
  const active = activeValues(nodes, wrt, constants, discrete);
  const perSample = new Set((options.perSample ?? []).map((v) => v.name));
  const grads = new Map<string, Value>();
  const accumulate = (target: Value, g: Value) => {
    const known = grads.get(target.name);
    grads.set(target.name, known ? addGradients(b, known, g) : g);
  };
  for (const { value, grad } of cotangents) {
    if (!sameDims(value.dims, grad.dims)) {
      throw new GlacisError(
        'gradient/unsupported',
        `${value.name}: expected a cotangent of [${value.dims}], got [${grad.dims}]`,
      );
    }
    if (active.has(value.name)) accumulate(value, grad);
  }
  const problems: string[] = [];
  const blocked = new Set<string>();
  for (let i = nodes.length - 1; i >= 0; i--) {
    const built = nodes[i]!;
    const outGrads = built.outputs.map((v) => (constants.has(v.name) ? null : (grads.get(v.name) ?? null)));
    const reached = built.outputs.some((v, k) => outGrads[k] !== null || blocked.has(v.name));
    const passes = discrete?.joins.has(built) || !isFloat(built.outputs[0]?.dtype ?? 'float32');
    const needs = built.inputs.map((v) => v !== null && active.has(v.name) && (passes || isFloat(v.dtype)));
    if (!reached) continue;
    for (const [at, v] of built.inputs.entries()) {
      const uses = v && stops.get(v.name);
      if (!uses) continue;
      needs[at] = false;
      if (outGrads.some((g) => g !== null)) uses.push({ built, at, outGrads });
    }
    if (!needs.includes(true)) continue;
    const block = (reason: string) => {
      problems.push(
        `${built.node.name} (${built.node.domain ? `${built.node.domain}.` : ''}${built.node.op}): ${reason}`,
      );
      built.inputs.forEach((v, k) => {
        if (v && needs[k]) blocked.add(v.name);
      });
    };
    const rule = ruleFor(built.node.domain, built.node.op, b.builder.opsets.get(built.node.domain) ?? 1);
    if (!rule) {
      block(reasonAgainst(built.node.domain, built.node.op));
      continue;
    }
    const shared = built.inputs.findIndex((v) => v !== null && perSample.has(v.name));
    if (shared >= 0 && !rule.perSample) {
      block('no per-sample gradient for this operator');
      continue;
    }
    if (outGrads.every((g) => g === null)) {
      built.inputs.forEach((v, k) => {
        if (v && needs[k]) blocked.add(v.name);
      });
      continue;
    }
    try {
      const inputGrads = rule.grad(contextOf(b, built, outGrads, needs, perSample, options));
      for (const [k, input] of built.inputs.entries()) {
        const g = inputGrads[k];
        if (!input || !needs[k] || !g) continue;
        const want = perSample.has(input.name) ? undefined : input.dims;
        if (want && !sameDims(want, g.dims)) {
          throw new GlacisError(
            'gradient/unsupported',
            `the rule gave [${g.dims}] for input ${k} of [${want}]`,
          );
        }
        accumulate(input, g);
      }
    } catch (error) {
      if (!(error instanceof GlacisError)) throw error;
      block(error.message);
    }
  }
  if (problems.length > 0) {
    throw new GlacisError(
      'gradient/unsupported',
      `expected operators with a gradient, got ${problems.length} without:\n  ${problems.reverse().join('\n  ')}`,
    );
  }
  return grads;
}

/** Integers and bools that pass a gradient straight through, and the nodes at which they become floats again. */
interface Discrete {
  readonly carriers: ReadonlySet<string>;
  readonly joins: ReadonlySet<BuiltNode>;
}

function passable(nodes: readonly BuiltNode[], wrt: readonly Value[]): Discrete {
  const names = wrt.map((v) => v.name);
  const { steps, carriers } = stepsFrom(nodes, names);
  return { carriers, joins: new Set(steps.flatMap(({ built, passable }) => (passable ? [built] : []))) };
}

/** Names of values with a gradient that depend on `wrt` other than through `constants`: floats, and what `discrete` passes. */
function activeValues(
  nodes: readonly BuiltNode[],
  wrt: readonly Value[],
  constants: ReadonlySet<string>,
  discrete: Discrete | undefined,
): Set<string> {
  const active = new Set(wrt.map((v) => v.name));
  for (const built of nodes) {
    const from = built.inputs.filter((v) => v !== null && active.has(v.name));
    if (from.length === 0) continue;
    const passesOn = discrete?.joins.has(built) || from.some((v) => isFloat(v!.dtype));
    for (const v of built.outputs) {
      if (constants.has(v.name)) continue;
      if (isFloat(v.dtype) ? passesOn : discrete?.carriers.has(v.name)) active.add(v.name);
    }
  }
  return active;
}

function contextOf(
  b: Ops,
  built: BuiltNode,
  outGrads: readonly (Value | null)[],
  needs: readonly boolean[],
  perSample: ReadonlySet<string>,
  options: GradientOptions,
): RuleContext {
  const input = (i: number): Value => {
    const value = built.inputs[i];
    if (!value)
      throw new GlacisError(
        'model/invalid',
        `${built.node.name}: expected input ${i} of ${built.node.op}, found none`,
      );
    return value;
  };
  const isPerSample = (i: number) => perSample.has(input(i).name);
  return {
    b,
    node: built.node,
    attrs: attributesOf(built.node),
    inputs: built.inputs,
    outputs: built.outputs,
    outGrads,
    needs,
    options,
    input,
    perSample: isPerSample,
    unbroadcast(g, i) {
      const { dims } = input(i);
      if (!isPerSample(i)) return b.unbroadcast(g, dims);
      // Axis 0 is the batch: a weight of the same rank must not have a batch axis of its own.
      const padded = [
        g.dims[0]!,
        ...new Array<number>(g.dims.length - 1 - Math.min(dims.length, g.dims.length - 1)).fill(1),
        ...dims.slice(Math.max(0, dims.length - (g.dims.length - 1))),
      ];
      return b.reshape(b.unbroadcast(g, padded), [g.dims[0]!, ...dims]);
    },
  };
}
