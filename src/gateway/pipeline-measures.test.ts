import { describe, expect, it } from 'vitest';
import type { Decision } from './decision.ts';
import type { Restraint } from './orders.ts';
import { CALLER, modelFixture, questionFixture, stagesFixture } from './pipeline.fixture.ts';
import { openPipeline } from './pipeline.ts';
import { Refused } from './refusal.ts';
import { answersSchema } from './respond/config-schema.ts';
import { openAnswers } from './respond/index.ts';
import type { Stages } from './stages.ts';

const SERVED = modelFixture({ explain: async ({ x }) => new Float32Array(x.length) });
/** Answers in place of the model: its scores are turned round. */
const OTHER: NonNullable<Restraint['standIn']> = async ({ inputs, n }, options) => {
  const { outputs } = await SERVED.run(inputs, options);
  const [y] = outputs;
  const data = (y!.data as Float32Array).map((score) => -score);
  return {
    outputs: [{ name: 'y', datatype: 'FP32', shape: [n, 2], data }],
    by: { name: 'check', version: '7', digest: 'other' },
  };
};

/** A gateway on which measures restrain every call. */
function restrained(restraint: Partial<Restraint>, over: Partial<Stages> = {}) {
  const stages = stagesFixture({
    routes: { find: () => SERVED },
    orders: {
      route: (found) => found,
      about: () => ({
        because: 'order O-1',
        admit: () => {},
        take: () => {},
        most: undefined,
        guards: (own) => own,
        standIn: undefined,
        ...restraint,
      }),
    },
    ...over,
  });
  const gateway = openPipeline(stages);
  return {
    gateway,
    ask: (question: object = {}) => gateway.infer(questionFixture([[2, 0, 0]], question)),
    last: () => stages.written.at(-1)!.entry as Decision,
  };
}
const explaining = (): Partial<Stages> => {
  const config = answersSchema.parse({ detail: 'explanation', explanations: { queries: 10 } });
  const answers = openAnswers(config, { model: SERVED, secret: new Uint8Array(32) });
  return {
    answers: () => answers,
    rights: { decide: () => ({ detail: 'explanation', because: 'all may' }) },
  };
};

describe('measures in the line of a call', () => {
  it('rights are asked about the version that a rollback leads to', async () => {
    const asked: unknown[] = [];
    const before = modelFixture({ version: '0' });
    const { ask, last } = restrained(
      {},
      {
        orders: { route: () => before, about: () => undefined },
        rights: {
          decide: (_, { version }) => {
            asked.push(version);
            return { detail: 'logits', because: '' };
          },
        },
      },
    );
    expect(await ask({ version: '1' })).toMatchObject({ response: { modelVersion: '0' } });
    expect(asked).toEqual(['0']);
    expect(last()).toMatchObject({ version: '0' });
  });

  it('throttles count what an explanation costs, and looks at a model', async () => {
    const [taken, rated]: [number[], number[]] = [[], []];
    const { ask, gateway } = restrained(
      { take: (n) => void taken.push(n) },
      { ...explaining(), rates: { take: (_, n) => void rated.push(n) } },
    );
    expect(await ask({ explanation: 'saliency' })).toMatchObject({
      response: { outputs: [{ name: 'y' }, { name: 'glacis-explanation' }] },
    });
    await gateway.describe(CALLER, 'm', undefined);
    await gateway.modelReady(CALLER, 'm', undefined);
    expect(taken).toEqual(rated);
    expect(taken).toEqual([11, 1, 1]);
  });

  it('throttles refuse a look at a model', async () => {
    const take = () => {
      throw new Refused('throttled', 'order O-1: throttle');
    };
    const { gateway, ask } = restrained({ take });
    expect(await gateway.describe(CALLER, 'm', undefined)).toMatchObject({ refusal: 'throttled' });
    expect(await gateway.modelReady(CALLER, 'm', undefined)).toMatchObject({ refusal: 'throttled' });
    expect(await ask()).toMatchObject({ refusal: 'throttled' });
  });

  it('where the second model answers, it does not check itself, and nothing of the first one is explained', async () => {
    const checks: string[] = [];
    const verifier = () => ({
      begin: () => void checks.push('begin'),
      check: () => {
        checks.push('check');
        return undefined;
      },
    });
    const over = { ...explaining(), verifier };
    const alone = restrained({}, over);
    expect(await alone.ask({ explanation: 'saliency' })).toMatchObject({ response: { outputs: [{}, {}] } });
    expect(checks.splice(0)).toEqual(['begin', 'check']);
    const { ask, last } = restrained({ standIn: OTHER }, over);
    const reply = await ask({ explanation: 'saliency' });
    expect(reply).toMatchObject({ kind: 'answer' });
    expect('response' in reply && reply.response.outputs.map(({ name }) => name)).toEqual(['y']);
    expect(last()).toMatchObject({ version: 'check@7', top: [[1, expect.any(Number)]] });
    expect(checks).toEqual([]);
  });

  it('guards of the answer look at what the first model said, whose features they know', async () => {
    const seen: (readonly number[])[] = [];
    const { ask } = restrained(
      { standIn: OTHER },
      {
        guards: () => [
          {
            ...{ name: 'g', phase: 'after' },
            judge: ({ scores }) => {
              seen.push([...scores!()!]);
              return { action: 'pass', score: 0 };
            },
          },
        ],
      },
    );
    expect(await ask()).toMatchObject({ response: { outputs: [{ data: Float32Array.of(-2, 2) }] } });
    expect(seen).toEqual([[2, -2]]);
  });

  it('take nothing of an answer that they do not cap', async () => {
    const told: unknown[] = [];
    const answers: Stages['answers'] = () => ({
      shape(_, { outputs }, { detail }) {
        told.push(detail);
        return outputs;
      },
    });
    for (const most of [undefined, 'scores', 'logits', 'explanation'] as const)
      await restrained(
        { most },
        { answers, rights: { decide: () => ({ detail: 'logits', because: '' }) } },
      ).ask();
    expect(told).toEqual(['logits', 'scores', 'logits', 'logits']);
  });
});
