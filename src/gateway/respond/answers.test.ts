import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../oip/index.ts';
import { DETAILS, type Detail } from '../detail.ts';
import { guardedInput } from '../guarded-call.ts';
import type { BudgetStep } from '../limits.ts';
import { modelFixture } from '../pipeline.fixture.ts';
import { Refused } from '../refusal.ts';
import type { ServedModel } from '../served-model.ts';
import { openAnswers } from './answers.ts';
import { type AnswersConfig, answersSchema } from './config-schema.ts';
import { likeliest } from './likeliest.ts';
import { topK } from './top-k.ts';

const SECRET = new Uint8Array(32).fill(3);
const LOGITS = [2, 0.5, -1, 4, 3.9, 0];
const classifierOf = (classes: number, gives: 'logits' | 'probabilities' = 'logits'): ServedModel =>
  modelFixture({ classifier: { input: 'x', sampleDims: [3], output: 'y', classes, gives } });

interface Asked {
  readonly config?: object;
  readonly model?: ServedModel;
  readonly detail?: Detail;
  readonly step?: BudgetStep;
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  readonly outputs?: readonly Tensor[];
  readonly n?: number;
}

function ask(values: readonly number[], asked: Asked = {}): readonly Tensor[] {
  const { config = {}, n = 1, detail = 'explanation', step = 'full', parameters, outputs } = asked;
  const classes = values.length / n;
  const model = asked.model ?? classifierOf(classes);
  const inputs: readonly Tensor[] = [
    {
      name: 'x',
      datatype: 'FP32',
      shape: [n, 3],
      data: Float32Array.from({ length: 3 * n }, (_, i) => i + 0.5),
    },
  ];
  const principal = { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] } as const;
  const call = guardedInput({ model, principal, address: '192.0.2.7', n, inputs, parameters, now: 0 });
  const scores: Tensor = {
    name: 'y',
    datatype: 'FP32',
    shape: [n, classes],
    data: Float32Array.from(values),
  };
  return openAnswers(answersSchema.parse(config), { model, secret: SECRET }).shape(
    call,
    { outputs: [scores, ...(outputs ?? [])] },
    { detail, step },
  );
}
const scoresAt = (asked: Asked) => [...(ask(LOGITS, asked)[0]!.data as Float32Array)];
const nonZero = (values: readonly number[]) => values.filter((value) => value !== 0).length;

describe('the ladder of details', () => {
  it('gives a row of one and zeros at label', () => {
    expect(scoresAt({ detail: 'label' })).toEqual([0, 0, 0, 1, 0, 0]);
  });

  it('gives the scores of the likeliest three at topk', () => {
    const scores = scoresAt({ detail: 'topk' });
    expect(nonZero(scores)).toBe(3);
    expect([scores[3], scores[4], scores[0]].every((score) => score! > 0)).toBe(true);
  });

  it('gives probabilities at scores', () => {
    const scores = scoresAt({ detail: 'scores' });
    expect(nonZero(scores)).toBe(6);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 6);
  });

  it('gives logits only where rights and configuration both say so', () => {
    expect(scoresAt({ config: { detail: 'logits' }, detail: 'logits' })[0]).toBe(2);
    expect(scoresAt({ detail: 'logits' })).toEqual(scoresAt({ detail: 'scores' }));
    expect(scoresAt({ config: { detail: 'logits' }, detail: 'scores' })).toEqual(
      scoresAt({ detail: 'scores' }),
    );
  });

  it('says on the output how much it tells, and keeps name, type and shape', () => {
    for (const detail of DETAILS) {
      const [output] = ask(LOGITS, { detail, config: { detail: 'explanation' } });
      expect(output).toMatchObject({ name: 'y', datatype: 'FP32', shape: [1, 6], parameters: { detail } });
    }
  });

  it('tells nothing at a lesser detail that is not in the greater one', () => {
    const row = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 12 });
    const guards = fc.subarray([
      { kind: 'poisoning' },
      { kind: 'reverse-sigmoid' },
      { kind: 'temperature', t: 3 },
    ]);
    const round = fc.oneof(
      fc.record({ decimals: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ significant: fc.integer({ min: 1, max: 6 }) }),
    );
    fc.assert(
      fc.property(row, guards, round, (logits, guards, round) => {
        const config = { guards, round };
        const at = (detail: Detail) => ask(logits, { config, detail })[0]!.data as Float32Array;
        const classes = logits.length;
        const [label, topk, scores] = [at('label'), at('topk'), at('scores')];
        const classifier = classifierOf(classes).classifier!;
        const cut = topK
          .make({ k: 3 }, { classifier, secret: SECRET })
          .shape({ values: scores, n: 1, classes, gives: 'probabilities' }, {} as never);
        expect(topk).toEqual(cut.values);
        expect(likeliest(label, 0, classes)).toBe(likeliest(topk, 0, classes));
        expect(likeliest(label, 0, classes)).toBe(likeliest(Float32Array.from(logits), 0, classes));
        expect(nonZero([...label])).toBe(1);
      }),
    );
  });
});

describe('the steps of a budget', () => {
  const decimals = (values: readonly number[]) =>
    Math.max(...values.map((value) => `${Number(value.toFixed(6))}`.split('.')[1]?.length ?? 0));

  it('full: four decimals; rounded: two; top1: one score; label: none', () => {
    expect(decimals(scoresAt({ step: 'full' }))).toBe(4);
    expect(decimals(scoresAt({ step: 'rounded' }))).toBe(2);
    const top1 = scoresAt({ step: 'top1' });
    expect(nonZero(top1)).toBe(1);
    expect(top1[3]).toBeLessThan(1);
    expect(scoresAt({ step: 'label' })).toEqual([0, 0, 0, 1, 0, 0]);
  });

  it('rounded never gives more digits than every answer has', () => {
    expect(decimals(scoresAt({ config: { round: { decimals: 1 } }, step: 'rounded' }))).toBe(1);
  });

  it('takes logits away from the first step on', () => {
    const config = { detail: 'logits' };
    expect(scoresAt({ config, detail: 'logits', step: 'rounded' })).toEqual(
      scoresAt({ detail: 'scores', step: 'rounded' }),
    );
  });

  it('the lesser of step and right counts', () => {
    expect(scoresAt({ detail: 'label', step: 'rounded' })).toEqual(scoresAt({ detail: 'label' }));
    expect(nonZero(scoresAt({ detail: 'topk', step: 'full' }))).toBe(3);
  });
});

describe('what a caller asks for', () => {
  it.each([
    { detail: 'logits' },
    { detail: 'explanation' },
    { raw_scores: true },
    { binary_data_output: true },
    { classification: 6 },
    { gives: 'logits' },
    { topk: 6 },
    { decimals: 17 },
  ])('abuse 18: %j gives no more than the rights', (parameters) => {
    for (const detail of ['label', 'topk', 'scores'] as const)
      expect(scoresAt({ detail, parameters })).toEqual(scoresAt({ detail }));
  });

  it.each(['constructor', '__proto__', 'toString', '', 7, true])(
    'detail %j is no detail and changes nothing',
    (detail) => {
      expect(scoresAt({ detail: 'topk', parameters: { detail } })).toEqual(scoresAt({ detail: 'topk' }));
    },
  );

  it('may be less', () => {
    expect(scoresAt({ detail: 'scores', parameters: { detail: 'label' } })).toEqual(
      scoresAt({ detail: 'label' }),
    );
  });
});

describe('outputs beside the scores', () => {
  const embedding: Tensor = { name: 'e', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.25, 7) };
  const text: Tensor = { name: 't', datatype: 'BYTES', shape: [1], data: [Buffer.from('secret')] };
  const label = (value: bigint): Tensor => ({
    name: 'l',
    datatype: 'INT64',
    shape: [1],
    data: BigInt64Array.of(value),
  });

  it('are zeros below logits, and text is empty', () => {
    const [, e, t] = ask(LOGITS, { detail: 'scores', outputs: [embedding, text] });
    expect(e).toMatchObject({ name: 'e', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0, 0) });
    expect((t!.data as readonly Uint8Array[])[0]).toHaveLength(0);
  });

  it('are told where the operator says so, or at logits', () => {
    expect(ask(LOGITS, { config: { others: 'told' }, outputs: [embedding] })[1]).toBe(embedding);
    expect(ask(LOGITS, { config: { detail: 'logits' }, detail: 'logits', outputs: [embedding] })[1]).toBe(
      embedding,
    );
  });

  it('an integer output with the class is told at every detail; one with something else is not', () => {
    expect(ask(LOGITS, { detail: 'label', outputs: [label(3n)] })[1]!.data).toEqual(BigInt64Array.of(3n));
    expect(ask(LOGITS, { detail: 'label', outputs: [label(5n)] })[1]!.data).toEqual(BigInt64Array.of(0n));
  });

  it('follow a class that the watermark changed: the true one is told nowhere', () => {
    const n = 2000;
    const model = classifierOf(4);
    const config = { watermark: { rate: 0.05 } };
    const logits = Array.from({ length: 4 * n }, (_, i) => (i % 4 === 2 ? 5 : 0));
    const labels: Tensor = {
      name: 'l',
      datatype: 'INT64',
      shape: [n],
      data: new BigInt64Array(n).fill(2n),
    };
    const [scores, told] = ask(logits, { n, model, config, outputs: [labels] });
    const answered = Array.from({ length: n }, (_, row) =>
      likeliest(scores!.data as Float32Array, 4 * row, 4),
    );
    expect(Array.from(told!.data as BigInt64Array, Number)).toEqual(answered);
    const wrong = answered.filter((c) => c !== 2).length;
    expect(wrong).toBeGreaterThan(0.02 * n);
    expect(wrong).toBeLessThan(0.09 * n);
  });
});

describe('a model that breaks its word', () => {
  it.each([
    ['NaN', [Number.NaN, 1]],
    ['plus infinity', [Number.POSITIVE_INFINITY, 1]],
  ])('is refused for %s', (_, values) => {
    expect(() => ask(values)).toThrow(Refused);
  });

  it('may give minus infinity, the logit of a class that cannot be', () => {
    expect([...(ask([Number.NEGATIVE_INFINITY, 1, 1])[0]!.data as Float32Array)]).toEqual([0, 0.5, 0.5]);
  });

  it('is refused for another number of classes, a missing output and one that is no float', () => {
    expect(() => ask([1, 2, 3], { model: classifierOf(4) })).toThrow(Refused);
    const model = modelFixture({
      classifier: { input: 'x', sampleDims: [3], output: 'other', classes: 3, gives: 'logits' },
    });
    expect(() => ask([1, 2, 3], { model })).toThrow(Refused);
  });
});

describe('a model that is no classifier', () => {
  const { classifier: _, ...model } = modelFixture();

  it('keeps significant digits, and integers as they are', () => {
    const counts: Tensor = { name: 'c', datatype: 'INT32', shape: [1], data: Int32Array.of(123456) };
    const [y, c] = ask([123.456789, 0.000123456789], { model, outputs: [counts] });
    const [a, b] = y!.data as Float32Array;
    expect(a! / 123.456789).toBeCloseTo(1, 4);
    expect(a).not.toBe(Math.fround(123.456789));
    expect(b! / 0.000123456789).toBeCloseTo(1, 4);
    expect(c).toBe(counts);
  });
});

it('16-bit outputs stay 16-bit', () => {
  const model = classifierOf(3);
  const call = guardedInput({
    model,
    principal: { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] },
    address: '192.0.2.7',
    n: 1,
    inputs: [],
    parameters: {},
    now: 0,
  });
  const half: Tensor = {
    name: 'y',
    datatype: 'FP16',
    shape: [1, 3],
    data: Uint16Array.of(0x3c00, 0x4000, 0),
  };
  const [output] = openAnswers(answersSchema.parse({}), { model, secret: SECRET }).shape(
    call,
    { outputs: [half] },
    { detail: 'label', step: 'full' },
  );
  expect(output).toMatchObject({ datatype: 'FP16', data: Uint16Array.of(0, 0x3c00, 0) });
});

it('the careful choice is the default', () => {
  const config: AnswersConfig = answersSchema.parse({});
  expect(config).toEqual({
    detail: 'scores',
    round: { decimals: 4 },
    rounded: { decimals: 2 },
    topk: 3,
    guards: [],
    others: 'hidden',
  });
  expect(answersSchema.safeParse({ raw: true }).success).toBe(false);
  expect(answersSchema.safeParse({ round: { decimals: 2, significant: 2 } }).success).toBe(false);
  expect(answersSchema.safeParse({ round: {} }).success).toBe(false);
});
