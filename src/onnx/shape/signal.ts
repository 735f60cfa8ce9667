import type { Dim } from '../model.ts';
import {
  axisIn,
  constantNumber,
  contradiction,
  expectRank,
  lengthOf,
  mapDim,
  one,
  required,
  showDims,
  withDim,
} from './dims.ts';
import type { ShapeRule } from './rule.ts';

const half = (d: Dim): Dim => mapDim(d, (n) => Math.floor(n / 2) + 1);

/** `DFT(x, dft_length?, axis?)`; the axis is an attribute (default 1) before opset 20. The last axis holds re and im. */
const dft: ShapeRule = (ctx) => {
  const { dtype, dims } = required(ctx, 0);
  const given = ctx.opset < 20 ? ctx.attrs.int('axis', 1) : ctx.inputs[2] ? constantNumber(ctx, 2) : -2;
  if (!dims) return one(dtype, undefined);
  if (dims.length < 2) contradiction(ctx, 'rank 2 or more', showDims(dims));
  const oneSided = ctx.attrs.int('onesided', 0) !== 0;
  // One-sided and inverse gives a real signal, whose length is only sure when dft_length says it.
  const realOut = oneSided && ctx.attrs.int('inverse', 0) !== 0;
  if (given === undefined)
    return one(
      dtype,
      dims.map((_, i) => (i < dims.length - 1 ? null : realOut ? 1 : 2)),
    );
  const axis = axisIn(ctx, given, dims.length);
  const length = ctx.inputs[1] ? (constantNumber(ctx, 1) ?? null) : dims[axis]!;
  if (realOut) {
    return one(dtype, withDim(withDim(dims, axis, ctx.inputs[1] ? length : null), dims.length - 1, 1));
  }
  return one(dtype, withDim(withDim(dims, axis, oneSided ? half(length) : length), dims.length - 1, 2));
};

/** `STFT(signal [batch, samples, …], frame_step, window?, frame_length?)` gives `[batch, frames, bins, 2]`. */
const stft: ShapeRule = (ctx) => {
  const signal = required(ctx, 0);
  const step = constantNumber(ctx, 1);
  if (step !== undefined && step < 1) contradiction(ctx, 'a frame_step of at least 1', String(step));
  if (signal.dims) expectRank(ctx, 0, 3);
  const length = (ctx.inputs[3] ? constantNumber(ctx, 3) : lengthOf(ctx.inputs[2])) ?? null;
  const frames =
    length !== null && step !== undefined
      ? mapDim(signal.dims?.[1] ?? null, (n) => Math.max(0, Math.floor((n - length) / step) + 1))
      : null;
  return one(signal.dtype, [
    signal.dims?.[0] ?? null,
    frames,
    ctx.attrs.int('onesided', 1) !== 0 ? half(length) : length,
    2,
  ]);
};

/** Fourier transforms. */
export const SIGNAL: Readonly<Record<string, ShapeRule>> = { DFT: dft, STFT: stft };
