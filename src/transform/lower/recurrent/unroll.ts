import { GlacisError } from '../../../core/error.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { numbersOf } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import type { LowerContext } from '../rule.ts';
import { type Activation, activationsOf } from './activation.ts';

/** Longer sequences are not unrolled. */
const MAX_STEPS = 4096;

/** The weights of one direction. */
export interface DirectionWeights {
  /** `[input, gates · hidden]`, ready to multiply. */
  readonly W: Value;
  /** `[gates · hidden, hidden]`, as in the file. */
  readonly R: Value;
  /** `[gates · hidden]` each; `null` when the layer has no bias. */
  readonly inputBias: Value | null;
  readonly recurrentBias: Value | null;
  /** `[3 · hidden]`, of LSTM. */
  readonly peepholes: Value | null;
  readonly hidden: number;
  readonly activations: readonly Activation[];
}

/** One direction of a recurrent layer: what it makes of all inputs at once, and its step. */
export interface Cell {
  /**
   * The products of all time steps' inputs, each `[time · batch, any]`: everything that does not need the state, so that
   * it is one large product in place of one a step.
   */
  project(x: Value): readonly Value[];
  /** The states after a step from the projected input of that step and the states before, each `[batch, hidden]`. */
  step(projected: readonly Value[], states: readonly Value[]): readonly Value[];
}

/** What tells LSTM, GRU and RNN apart. */
export interface CellKind {
  readonly gates: number;
  /** 1 (hidden), or 2 (hidden and cell). */
  readonly states: 1 | 2;
  readonly activations: readonly string[];
  cell(context: LowerContext, weights: DirectionWeights): Cell;
}

/**
 * Writes a recurrent node step by step. Inputs as in ONNX: `X [time, batch, input]`, `W [directions, gates · hidden, input]`,
 * `R [directions, gates · hidden, hidden]`, `B`, `sequence_lens`, initial states, and for LSTM `P`. Weights may be computed
 * values. Samples shorter than the sequence keep their state behind their end and give zeros there; the reverse
 * direction starts at each sample's own end.
 * Errors: `model/unsupported-operator` for no or more than 4096 steps.
 */
export function unrollRecurrent(context: LowerContext, kind: CellKind): readonly (Value | null)[] {
  const { b, attrs, inputs, node } = context;
  const batchFirst = attrs.int('layout', 0) === 1;
  const turn = (v: Value) => (batchFirst ? b.transpose(v, [1, 0, 2]) : v);
  const X = turn(context.input(0));
  const [time, batch, size] = X.dims as readonly [number, number, number];
  if (time === 0 || time > MAX_STEPS)
    throw new GlacisError(
      'model/unsupported-operator',
      `${node.name} (${node.op}): expected 1 to ${MAX_STEPS} time steps, got ${time}`,
    );
  const direction = attrs.string('direction', 'forward');
  if (!['forward', 'reverse', 'bidirectional'].includes(direction))
    throw new GlacisError('model/invalid', `${node.name} (${node.op}): direction '${direction}' is not one`);
  const directions = direction === 'bidirectional' ? 2 : 1;
  const hidden = context.input(2).dims[2]!;
  const rows = kind.gates * hidden;
  const activations = activationsOf(context, directions, kind.activations);
  const masks = stepMasks(b, inputs[4] ?? null, time);
  const flat = b.reshape(X, [time * batch, size]);
  const sequences: Value[] = [];
  const finals: Value[][] = Array.from({ length: kind.states }, () => []);
  for (let d = 0; d < directions; d++) {
    const part = (v: Value, dims: readonly number[]) => b.reshape(b.slice(v, 0, d, d + 1), dims);
    const bias = inputs[3] ? part(inputs[3], [2 * rows]) : null;
    const cell = kind.cell(context, {
      W: b.transpose(part(context.input(1), [rows, size]), [1, 0]),
      R: part(context.input(2), [rows, hidden]),
      inputBias: bias && b.slice(bias, 0, 0, rows),
      recurrentBias: bias && b.slice(bias, 0, rows, 2 * rows),
      peepholes: kind.states === 2 && inputs[7] ? part(inputs[7], [3 * hidden]) : null,
      hidden,
      activations: activations[d]!,
    });
    const steps = cell.project(flat).map((p) => b.split(p, 0, new Array<number>(time).fill(batch)));
    let states: readonly Value[] = Array.from({ length: kind.states }, (_, s) => {
      const initial = inputs[5 + s];
      return initial ? part(turn(initial), [batch, hidden]) : b.full([batch, hidden], 0, X.dtype);
    });
    const hiddens = new Array<Value>(time);
    const backwards = direction === 'reverse' || d === 1;
    for (let k = 0; k < time; k++) {
      const t = backwards ? time - 1 - k : k;
      const next = cell.step(
        steps.map((s) => s[t]!),
        states,
      );
      const mask = masks[t];
      hiddens[t] = mask ? b.where(mask, next[0]!, 0) : next[0]!;
      const before = states;
      states = mask ? next.map((v, s) => b.where(mask, v, before[s]!)) : next;
    }
    sequences.push(b.reshape(b.concat(hiddens, 0), [time, 1, batch, hidden]));
    for (const [s, list] of finals.entries()) list.push(b.reshape(states[s]!, [1, batch, hidden]));
  }
  const Y = b.concat(sequences, 1);
  return [
    batchFirst ? b.transpose(Y, [2, 0, 1, 3]) : Y,
    ...finals.map((list) => turn(b.concat(list, 0))),
  ].slice(0, context.outputs);
}

/** For each step, `[batch, 1]`: which samples are that long; `undefined` where all are. */
function stepMasks(b: Ops, lengths: Value | null, time: number): readonly (Value | undefined)[] {
  if (!lengths) return new Array<undefined>(time).fill(undefined);
  const column = b.reshape(lengths, [lengths.dims[0]!, 1]);
  return Array.from({ length: time }, (_, t) => {
    const mask = b.compare('Greater', column, t);
    return mask.data && numbersOf(mask.data).every((v) => v !== 0) ? undefined : mask;
  });
}
