import { describe, expect, it } from 'vitest';
import type { InputGuard } from './guard.ts';
import { modelFixture, questionFixture, stagesFixture } from './pipeline.fixture.ts';
import { openPipeline } from './pipeline.ts';
import { Refused } from './refusal.ts';

/** What a call passes, in the order in which it must. */
const LINE = [
  'who asks',
  'which model',
  'whether they may',
  'rate',
  'budget',
  'guard of the input',
  'model',
  'guard of the answer',
  'second model',
  'how much is told',
  'log',
  'due time',
] as const;
type Part = (typeof LINE)[number];

/** The parts that a call met, with `refusing` refusing it; each is met once it has answered. */
async function trailOf(
  refusing?: Part,
): Promise<{ readonly kind: string; readonly trail: readonly string[] }> {
  const trail: string[] = [];
  const meet = <T>(part: Part, value: T): T => {
    trail.push(part);
    if (part === refusing) throw new Refused('unacceptable', part);
    return value;
  };
  const later = async <T>(value: T, milliseconds = 2): Promise<T> => {
    await new Promise((done) => setTimeout(done, milliseconds));
    return value;
  };
  const guard = (phase: InputGuard['phase'], part: Part): InputGuard => ({
    name: part,
    phase,
    async judge() {
      return meet(part, await later({ action: 'pass' as const, score: 0 }));
    },
  });
  const model = modelFixture();
  const ann = { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] } as const;
  const stages = stagesFixture({
    identifier: { identify: async () => meet('who asks', await later(ann)) },
    routes: {
      find: () =>
        meet('which model', {
          ...model,
          run: async (inputs, options) => meet('model', await later(await model.run(inputs, options))),
        }),
    },
    rights: { decide: () => meet('whether they may', { detail: 'logits' as const, because: '' }) },
    rates: { take: async () => meet('rate', await later(undefined)) },
    budgets: {
      take: async () => meet('budget', await later('full' as const)),
      state: async () => ({ used: 0, limit: 1, step: 'full' }),
    },
    guards: () => [guard('after', 'guard of the answer'), guard('before', 'guard of the input')],
    verifier: () => ({ check: async () => meet('second model', await later(undefined)) }),
    answers: () => ({ shape: (_, answer) => meet('how much is told', answer.outputs) }),
    recorder: {
      ...stagesFixture().recorder,
      // Long enough for whoever does not wait for it to come first.
      record: async () => meet('log', await later(0, 20)),
    },
    schedule: { due: () => later(undefined).then(() => meet('due time', undefined)) },
  });
  const { kind } = await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
  trail.push(kind);
  return { kind, trail };
}

describe('the line of a call', () => {
  it('is passed in its order, each part when the one before has answered, and the answer comes last', async () => {
    expect((await trailOf()).trail).toEqual([...LINE, 'answer']);
  });

  it.each(LINE.slice(0, -2))(
    'ends where %s refuses: what is behind is not asked, but the log',
    async (part) => {
      const before = LINE.slice(0, LINE.indexOf(part) + 1);
      // Who is refused before the limits were asked has made a request all the same.
      const counted = before.includes('rate') ? [] : ['rate'];
      expect((await trailOf(part)).trail).toEqual([...before, ...counted, 'log', 'due time', 'refusal']);
    },
  );

  it('ends without an answer where the log refuses it', async () => {
    const { kind, trail } = await trailOf('log');
    expect([kind, trail.slice(LINE.indexOf('log'))]).toEqual(['refusal', ['log', 'due time', 'refusal']]);
  });
});
