import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { InputGuard } from '../guard.ts';
import type { ServedModel } from '../served-model.ts';
import { openGuardTrial, type PastCall } from './try-guard.ts';

const signal = new AbortController().signal;
const bytesOf = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const callOf = (value: number, over: Partial<PastCall> = {}): PastCall => ({
  ...{
    model: 'm',
    n: 1,
    at: 1000 * value,
    principal: 'ann',
    tenant: 'acme',
    address: undefined,
    inputs: [bytesOf(value, 0)],
  },
  ...over,
});

/** Gives its first input back as a score, the sooner the larger it is. */
const served = {
  name: 'm',
  version: '1',
  digest: 'sha256:m',
  metadata: {
    ...{ name: 'm', platform: '', outputs: [] },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  },
  classifier: { input: 'x', sampleDims: [2], output: 'y', classes: 2, gives: 'logits' },
  run: async ([x], { n }) => {
    const value = (x!.data as Float32Array)[0]!;
    await new Promise((done) => setTimeout(done, 20 - value));
    if (value === 13) throw new Error('the model failed');
    return { outputs: [{ name: 'y', datatype: 'FP32', shape: [n, 2], data: Float32Array.from([value, 0]) }] };
  },
} as const satisfies ServedModel;

/** Scores by how much a caller's answer changed since the one before, and tells what it saw. */
function remembering(seen: string[]): InputGuard {
  const last = new Map<string, number>();
  return {
    name: 'steps',
    phase: 'after',
    judge({ principal, now, scores }) {
      const score = scores?.()?.[0] ?? Number.NaN;
      const before = last.get(principal.id) ?? 0;
      last.set(principal.id, score);
      seen.push(`${principal.id} of ${principal.tenant} at ${now}`);
      return { action: 'pass', score: score - before };
    },
    close: async () => void seen.push('closed'),
  };
}

describe('a guard that is shown past calls', () => {
  it('judges in the order of the calls, whichever the model answers first, as of their time', async () => {
    const seen: string[] = [];
    const trial = openGuardTrial({ find: () => served, make: () => remembering(seen) });
    const looks = await Promise.all([1, 3, 9, 10].map((value) => trial.look(callOf(value), signal)));
    expect(looks).toEqual([{ score: 1 }, { score: 2 }, { score: 6 }, { score: 1 }]);
    await trial.close();
    expect(seen).toEqual([...[1, 3, 9, 10].map((value) => `ann of acme at ${1000 * value}`), 'closed']);
  });

  it('has one guard for each model, and says of models why they can have none', async () => {
    const made: string[] = [];
    const trial = openGuardTrial({
      find: (name) => (name === 'gone' ? undefined : { ...served, name }),
      make: ({ name }) => {
        made.push(name);
        if (name === 'bare') throw new GlacisError('option/invalid', 'guard steps: expected a calibration');
        return remembering([]);
      },
    });
    for (const model of ['m', 'm', 'bare', 'bare', 'gone']) await trial.look(callOf(1, { model }), signal);
    expect(made).toEqual(['m', 'bare']);
    expect(await trial.look(callOf(1, { model: 'bare' }), signal)).toEqual({
      cannot: 'guard steps: expected a calibration',
    });
    expect(await trial.look(callOf(1, { model: 'gone' }), signal)).toEqual({
      cannot: 'no version of gone is in service',
    });
    await trial.close();
  });

  it('knows nothing of inputs that the model does not take, and of no name that is no number', async () => {
    const trial = openGuardTrial({ find: () => served, make: () => remembering([]) });
    expect(await trial.look(callOf(1, { inputs: [] }), signal)).toBeUndefined();
    expect(await trial.look(callOf(1, { inputs: [bytesOf(1)] }), signal)).toBeUndefined();
    expect(await trial.look(callOf(Number.NaN), signal)).toEqual({ score: null });
    await trial.close();
  });

  it('passes on that the model failed, and goes on with the others', async () => {
    const trial = openGuardTrial({ find: () => served, make: () => remembering([]) });
    const [first, failing, last] = [2, 13, 5].map((value) => trial.look(callOf(value), signal));
    await expect(failing).rejects.toThrow('the model failed');
    expect([await first, await last]).toEqual([{ score: 2 }, { score: 3 }]);
    await trial.close();
  });

  it('does not run the model for a guard that looks at inputs alone', async () => {
    const trial = openGuardTrial({
      find: () => ({ ...served, run: () => Promise.reject(new Error('was run')) }),
      make: () => ({
        ...{ name: 'first', phase: 'before' },
        judge: ({ floats }) => ({ action: 'pass', score: floats()![0]! }),
      }),
    });
    expect(await trial.look(callOf(4), signal)).toEqual({ score: 4 });
    await trial.close();
  });
});
