import { describe, expect, it } from 'vitest';
import type { Decision } from './decision.ts';
import { DETAILS } from './detail.ts';
import type { InputGuard } from './guard.ts';
import type { BudgetStep } from './limits.ts';
import { modelFixture, questionFixture, stagesFixture } from './pipeline.fixture.ts';
import { openPipeline } from './pipeline.ts';
import { Refused } from './refusal.ts';
import { answersSchema } from './respond/config-schema.ts';
import { openAnswers } from './respond/index.ts';
import type { ServedModel } from './served-model.ts';
import type { Stages } from './stages.ts';

const ON = { detail: 'explanation', explanations: { queries: 10, most: 4 } };

interface Setting {
  readonly answers?: object;
  readonly model?: Partial<ServedModel>;
  readonly stages?: Partial<Stages>;
  /** What the budget says, one after another. */
  readonly steps?: readonly BudgetStep[];
}

/** A gateway whose model explains each element by the number of the class that it explains. */
function opened({ answers = ON, model = {}, stages = {}, steps = [] }: Setting = {}) {
  const asked: { readonly outputs: readonly number[]; readonly method: string }[] = [];
  const taken: number[] = [];
  const refunded: number[] = [];
  const rated: number[] = [];
  const served = modelFixture({
    explain: async ({ x, outputs, method }) => {
      asked.push({ outputs, method });
      return x.map((_, i) => outputs[Math.floor(i / 3)]!);
    },
    ...model,
  });
  const shaping = openAnswers(answersSchema.parse(answers), { model: served, secret: new Uint8Array(32) });
  const all = stagesFixture({
    routes: { find: () => served },
    rights: { decide: () => ({ detail: 'explanation', because: 'all may' }) },
    rates: { take: (_, n) => void rated.push(n) },
    budgets: {
      take: (_, __, n) => steps[taken.push(n) - 1] ?? 'full',
      refund: (_, __, n) => void refunded.push(n),
      state: async () => ({ used: 0, limit: 1, step: 'full' }),
    },
    answers: () => shaping,
    ...stages,
  });
  const gateway = openPipeline(all);
  const ask = (explanation: 'saliency' | 'integrated' | undefined, over: object = {}) =>
    gateway.infer(
      questionFixture(
        [
          [1, 2, 3],
          [-1, 0, 1],
        ],
        { explanation, ...over },
      ),
    );
  return { ...all, ask, asked, taken, refunded, rated };
}

const decisionOf = ({ written }: ReturnType<typeof opened>) => written.at(-1)!.entry as Decision;

describe('an explanation', () => {
  it('is one more output, of the class that is answered, and the log says that it was given', async () => {
    const gateway = opened();
    const reply = await gateway.ask('saliency');
    expect(reply).toMatchObject({
      kind: 'answer',
      response: {
        outputs: [
          { name: 'y', parameters: { detail: 'explanation' } },
          {
            name: 'glacis-explanation',
            datatype: 'FP32',
            shape: [2, 3],
            data: Float32Array.of(0, 0, 0, 1, 1, 1),
            parameters: { method: 'saliency' },
          },
        ],
      },
    });
    expect(decisionOf(gateway)).toMatchObject({
      outcome: 'answered',
      detail: 'explanation',
      explained: 'saliency',
    });
    // What is committed to in the log holds it.
    expect(gateway.written.at(-1)!.payload!.output).toHaveLength(2);
  });

  it('counts in rates and budgets what it is worth, beside the answer', async () => {
    const gateway = opened();
    await gateway.ask('integrated');
    await gateway.ask(undefined);
    expect([gateway.taken, gateway.rated]).toEqual([
      [2, 20, 2],
      [22, 2],
    ]);
    expect(gateway.asked).toEqual([{ outputs: [0, 1], method: 'integrated' }]);
  });

  it('comes back beside the outputs that are named', async () => {
    const { request } = questionFixture([
      [1, 2, 3],
      [-1, 0, 1],
    ]);
    const reply = await opened().ask('saliency', { request: { ...request, outputs: [{ name: 'y' }] } });
    expect(reply).toMatchObject({ response: { outputs: [{ name: 'y' }, { name: 'glacis-explanation' }] } });
  });

  it('explains the class that a mark put there, and not the one that it hides', async () => {
    const marked = {
      shape: () => [{ name: 'y', datatype: 'FP32', shape: [2, 2], data: Float32Array.of(0, 9, 9, 0) }],
    };
    const terms = opened().answers(modelFixture()).explanations;
    const bent = opened({ stages: { answers: () => ({ ...marked, explanations: terms }) as never } });
    await bent.ask('saliency');
    expect(bent.asked[0]!.outputs).toEqual([1, 0]);
  });
});

describe('who gets none', () => {
  const refusedBefore = async (gateway: ReturnType<typeof opened>, over: object = {}) => {
    const reply = await gateway.ask('saliency', over);
    expect([gateway.taken, gateway.asked]).toEqual([[], []]);
    return reply;
  };

  it('learns the same: no right, none offered, no gradient', async () => {
    const rights = (detail: (typeof DETAILS)[number]) => ({
      rights: { decide: () => ({ detail, because: '' }) },
    });
    const cases: Setting[] = [
      ...DETAILS.slice(0, -1).map((detail) => ({ stages: rights(detail) })),
      { answers: {} },
      { answers: { detail: 'explanation' } },
      { answers: { ...ON, explanations: { methods: ['integrated'] } } },
      { model: { explain: undefined } },
    ];
    for (const each of cases) {
      const gateway = opened(each);
      expect(await refusedBefore(gateway)).toMatchObject({ kind: 'refusal', refusal: 'unknown' });
      expect(decisionOf(gateway).explained).toBeUndefined();
      // Guessing is a request, too.
      expect(gateway.rated).toEqual([1]);
    }
  });

  it('asks for more samples than are explained at once', async () => {
    const gateway = opened({ answers: { ...ON, explanations: { most: 1 } } });
    expect(await refusedBefore(gateway)).toMatchObject({ refusal: 'too-large' });
  });

  it('is answered without one, and unpaid, where the budget has come down or has not enough left', async () => {
    const plain = { kind: 'answer', response: { outputs: [{ name: 'y' }] } };
    for (const step of ['rounded', 'top1', 'label'] as const) {
      const gateway = opened({ steps: [step] });
      expect(await gateway.ask('saliency')).toMatchObject(plain);
      expect([gateway.taken, gateway.asked]).toEqual([[2], []]);
    }
    const last = opened({ steps: ['full', 'label'] });
    expect(await last.ask('saliency')).toMatchObject(plain);
    expect(last.asked).toEqual([]);
    const short = opened({ steps: ['full', 'refuse'] });
    const reply = await short.ask('saliency');
    expect(reply).toMatchObject(plain);
    expect(reply.kind === 'answer' && reply.response.outputs).toHaveLength(1);
    expect(short.asked).toEqual([]);
    expect(decisionOf(short).explained).toBeUndefined();
  });

  it('asks for less detail itself', async () => {
    const { request } = questionFixture([
      [1, 2, 3],
      [-1, 0, 1],
    ]);
    const gateway = opened();
    await gateway.ask('saliency', { request: { ...request, parameters: { detail: 'scores' } } });
    expect([gateway.taken, gateway.asked]).toEqual([[2], []]);
  });

  it('is suspect to a guard', async () => {
    const guard: InputGuard = { name: 'g', phase: 'after', judge: () => ({ action: 'degrade', score: 1 }) };
    const gateway = opened({ stages: { guards: () => [guard] } });
    expect(await gateway.ask('saliency')).toMatchObject({ response: { outputs: [{ name: 'y' }] } });
    expect(gateway.asked).toEqual([]);
  });

  it('hits an explanation that fails: nothing is answered, and all of it may be given back', async () => {
    const explain = () => Promise.reject(new Refused('late', 'it took too long'));
    const gateway = opened({ model: { explain } });
    expect(await gateway.ask('saliency')).toMatchObject({ kind: 'refusal', refusal: 'late' });
    expect(gateway.refunded).toEqual([22]);
    expect(decisionOf(gateway)).toMatchObject({ outcome: 'late', because: 'it took too long' });
    expect(decisionOf(gateway).explained).toBeUndefined();
    const wrong = opened({ model: { explain: async () => new Float32Array(5) } });
    expect(await wrong.ask('saliency')).toMatchObject({ refusal: 'failed' });
  });
});

describe('the configuration', () => {
  it('is refused where nobody could get what it offers', () => {
    expect(answersSchema.safeParse({ explanations: {} }).success).toBe(false);
    expect(answersSchema.safeParse({ detail: 'logits', explanations: {} }).success).toBe(false);
    expect(answersSchema.parse({ detail: 'explanation', explanations: {} }).explanations).toMatchObject({
      queries: 100,
      most: 8,
      decimals: 2,
    });
  });
});
