import type { Caller, Question } from './call.ts';
import type { Decision, Event } from './decision.ts';
import type { Payload } from './recorder.ts';
import type { ServedModel } from './served-model.ts';
import type { Stages } from './stages.ts';

/** A caller from a documentation address. */
export const CALLER: Caller = { address: '192.0.2.7', authorization: 'Bearer good' };

/** A model of two classes over three features: the scores are the first feature and its negative. */
export function modelFixture(over: Partial<ServedModel> = {}): ServedModel {
  return {
    name: 'm',
    version: '1',
    digest: `sha256:${'0'.repeat(64)}`,
    metadata: {
      name: 'm',
      versions: ['1'],
      platform: 'onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
    },
    classifier: { input: 'x', sampleDims: [3], output: 'y', classes: 2, gives: 'logits' },
    run: async ([input], { n }) => ({
      outputs: [
        {
          name: 'y',
          datatype: 'FP32',
          shape: [n, 2],
          data: Float32Array.from({ length: 2 * n }, (_, i) => {
            const first = (input!.data as Float32Array)[3 * Math.floor(i / 2)]!;
            return i % 2 === 0 ? first : -first;
          }),
        },
      ],
    }),
    ...over,
  };
}

/** What went to the log. */
export interface Written {
  readonly entry: Decision | Event;
  readonly payload: Payload | undefined;
}

/** Stages that let everything through and remember what was recorded. */
export function stagesFixture(over: Partial<Stages> = {}): Stages & { readonly written: Written[] } {
  const written: Written[] = [];
  const model = modelFixture();
  return {
    written,
    identifier: {
      identify: () => ({ id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] }),
    },
    rights: { decide: () => ({ detail: 'logits', because: 'all may' }) },
    routes: { find: (name, version) => (name === 'm' && (version ?? '1') === '1' ? model : undefined) },
    rates: { take: () => undefined },
    budgets: { take: () => 'full', state: async () => ({ used: 0, limit: 1, step: 'full' }) },
    guards: () => [],
    answers: () => ({ shape: (_, answer) => answer.outputs }),
    verifier: () => undefined,
    recorder: {
      record: async (entry, payload) => written.push({ entry, payload }) - 1,
      receipt: async (index) => `receipt ${index}`,
      broken: undefined,
      close: async () => {},
    },
    schedule: { due: () => undefined },
    observer: { stage: () => {}, decided: () => {}, failed: () => {} },
    now: () => 1_700_000_000_000,
    clock: () => performance.now(),
    limits: { mostBytes: 1 << 20, mostSamples: 16, timeout: 1000 },
    ...over,
  };
}

/** A question of `rows` samples. */
export function questionFixture(
  rows: readonly (readonly number[])[],
  over: Partial<Question> = {},
): Question {
  return {
    model: 'm',
    request: {
      id: 'q1',
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [rows.length, 3], data: Float32Array.from(rows.flat()) },
      ],
      binaryOutput: false,
    },
    caller: CALLER,
    arrived: performance.now(),
    bytes: 100,
    wantsReceipt: false,
    signal: new AbortController().signal,
    ...over,
  };
}
