import { contradiction, expectRank, required } from './dims.ts';
import type { ShapeRule } from './rule.ts';

/**
 * Recurrent layers over X `[time, batch, input]` (`layout` 1: `[batch, time, input]`): Y `[time, directions, batch, hidden]`
 * (`[batch, time, directions, hidden]`), then one state `[directions, batch, hidden]` (`[batch, directions, hidden]`) each.
 * `hiddenAxis` is that of R which has the hidden size; the gates are on the other.
 */
const recurrent =
  (states: number, gates: number, hiddenAxis = 2): ShapeRule =>
  (ctx) => {
    const x = required(ctx, 0);
    const r = required(ctx, 2);
    expectRank(ctx, 0, 3);
    expectRank(ctx, 1, 3);
    expectRank(ctx, 2, 3);
    const directions = ctx.attrs.string('direction', 'forward') === 'bidirectional' ? 2 : 1;
    const hidden = ctx.attrs.has('hidden_size')
      ? ctx.attrs.int('hidden_size')
      : (r.dims?.[hiddenAxis] ?? null);
    const rows = r.dims?.[3 - hiddenAxis];
    if (typeof hidden === 'number' && typeof rows === 'number' && rows !== gates * hidden) {
      contradiction(ctx, `R with ${gates} × hidden_size ${hidden} gates`, String(rows));
    }
    const batchFirst = ctx.attrs.int('layout', 0) !== 0;
    const [time, batch] = batchFirst
      ? [x.dims?.[1] ?? null, x.dims?.[0] ?? null]
      : [x.dims?.[0] ?? null, x.dims?.[1] ?? null];
    const state = {
      dtype: x.dtype,
      dims: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
    };
    const y = {
      dtype: x.dtype,
      dims: batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden],
    };
    return [y, ...new Array<typeof state>(states).fill(state)];
  };

/** Recurrent layers. */
export const RNN: Readonly<Record<string, ShapeRule>> = {
  GRU: recurrent(1, 3),
  LSTM: recurrent(2, 4),
  RNN: recurrent(1, 1),
};

/** `DynamicQuantizeLSTM` of com.microsoft: W and R are transposed. */
export const dynamicQuantizeLstm = recurrent(2, 4, 1);
