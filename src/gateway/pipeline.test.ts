import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import type { Decision } from './decision.ts';
import type { InputGuard } from './guard.ts';
import { CALLER, modelFixture, questionFixture, stagesFixture } from './pipeline.fixture.ts';
import { openPipeline } from './pipeline.ts';
import { REFUSALS, Refused } from './refusal.ts';
import type { RunOptions, ServedModel } from './served-model.ts';
import type { Stages } from './stages.ts';

const guard = (name: string, phase: InputGuard['phase'], judge: InputGuard['judge']): InputGuard => ({
  name,
  phase,
  judge,
});
const decisionOf = (stages: ReturnType<typeof stagesFixture>, at = 0) =>
  stages.written[at]!.entry as Decision;

describe('a call that is answered', () => {
  it('comes back with the names, the version and the id, and is in the log first', async () => {
    const stages = stagesFixture();
    const reply = await openPipeline(stages).infer(questionFixture([[2, 0, 0]], { wantsReceipt: true }));
    expect(reply).toMatchObject({
      kind: 'answer',
      receipt: 'receipt 0',
      response: {
        modelName: 'm',
        modelVersion: '1',
        id: 'q1',
        outputs: [{ name: 'y', data: Float32Array.of(2, -2) }],
      },
    });
    expect(decisionOf(stages)).toMatchObject({
      outcome: 'answered',
      principal: 'ann',
      n: 1,
      detail: 'logits',
      // Of logits 2, −2: their softmax.
      top: [[0, expect.closeTo(0.982, 3)]],
      input: { shape: [1, 3], least: 0, most: 2 },
    });
    expect(stages.written[0]!.payload!.input[0]!.byteLength).toBe(12);
    expect(stages.written[0]!.payload!.output[0]!.byteLength).toBe(8);
  });

  it('gives every decision an id of its own', async () => {
    const gateway = openPipeline(stagesFixture());
    const ids = await Promise.all(
      Array.from({ length: 600 }, async () => (await gateway.infer(questionFixture([[1, 0, 0]]))).decision),
    );
    expect(new Set(ids).size).toBe(600);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  });

  it('holds the wished outputs only', async () => {
    const question = questionFixture([[1, 0, 0]]);
    const reply = await openPipeline(stagesFixture()).infer({
      ...question,
      request: { ...question.request, outputs: [{ name: 'z', binary: false }] },
    });
    expect(reply).toMatchObject({ kind: 'refusal', refusal: 'mismatched' });
  });

  it('is told the label alone where a guard, or the budget, says so', async () => {
    const details: unknown[] = [];
    const stages = (over: object) =>
      stagesFixture({
        answers: () => ({
          shape: (_, answer, limits) => {
            details.push(limits);
            return answer.outputs;
          },
        }),
        ...over,
      });
    await openPipeline(
      stages({ guards: () => [guard('g', 'before', () => ({ action: 'degrade', score: 3 }))] }),
    ).infer(questionFixture([[1, 0, 0]]));
    await openPipeline(
      stages({ guards: () => [guard('g', 'after', async () => ({ action: 'degrade', score: 3 }))] }),
    ).infer(questionFixture([[1, 0, 0]]));
    await openPipeline(stages({ budgets: { ...stagesFixture().budgets, take: () => 'top1' } })).infer(
      questionFixture([[1, 0, 0]]),
    );
    expect(details).toEqual([
      { detail: 'label', step: 'full' },
      { detail: 'label', step: 'full' },
      { detail: 'logits', step: 'top1' },
    ]);
  });
});

describe('a call that is refused', () => {
  const refusals: readonly (readonly [string, string, Parameters<typeof stagesFixture>[0]])[] = [
    [
      'bad credentials',
      'unauthenticated',
      {
        identifier: {
          identify: () => {
            throw new Refused('unauthenticated', 'no such key');
          },
        },
      },
    ],
    [
      'a model that the rights keep',
      'unknown',
      { rights: { decide: () => ({ detail: undefined, because: 'no policy' }) } },
    ],
    ['a model that is not there', 'unknown', { routes: { find: () => undefined } }],
    ['a rate limit', 'throttled', { rates: { take: () => 7 } }],
    ['a budget', 'exhausted', { budgets: { ...stagesFixture().budgets, take: () => 'refuse' } }],
    [
      'a guard',
      'unacceptable',
      { guards: () => [guard('g', 'before', () => ({ action: 'refuse', score: 9, because: 'strange' }))] },
    ],
    [
      'a guard that throws',
      'failed',
      {
        guards: () => [
          guard('g', 'before', () => {
            throw new Error('/secret/path');
          }),
        ],
      },
    ],
    [
      'a guard after the model',
      'unacceptable',
      { guards: () => [guard('g', 'after', () => ({ action: 'refuse', score: 9 }))] },
    ],
    [
      'a verifying model',
      'held',
      {
        verifier: () => ({
          check: async () => {
            throw new Refused('held', 'they differ');
          },
        }),
      },
    ],
    [
      'a model that fails',
      'failed',
      {
        routes: {
          find: () =>
            modelFixture({
              run: async () => {
                throw new GlacisError('run/failed', '/secret/path');
              },
            }),
        },
      },
    ],
    [
      'a model that is late',
      'late',
      {
        routes: {
          find: () =>
            modelFixture({
              run: async () => {
                throw new Refused('late', 'queue');
              },
            }),
        },
      },
    ],
  ];
  it.each(refusals)('ends by %s as %s, in the log and with a fixed message', async (_, refusal, over) => {
    const stages = stagesFixture(over);
    const reply = await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
    expect(reply).toMatchObject({ kind: 'refusal', refusal, id: 'q1' });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(decisionOf(stages).outcome).toBe(refusal);
    expect(decisionOf(stages).because).not.toBe('');
  });

  it('says when to come back after a rate limit', async () => {
    expect(
      await openPipeline(stagesFixture({ rates: { take: () => 7 } })).infer(questionFixture([[1, 0, 0]])),
    ).toMatchObject({ retryAfter: 7 });
  });

  it('never asks the model', async () => {
    let asked = 0;
    const model = modelFixture({
      run: async () => {
        asked++;
        return { outputs: [] };
      },
    });
    const over = { routes: { find: () => model } };
    for (const [name, , refusing] of refusals.slice(0, 7)) {
      await openPipeline(stagesFixture({ ...over, ...refusing })).infer(questionFixture([[1, 0, 0]]));
      expect(asked, name).toBe(0);
    }
  });

  it('asks rights and routes alike, whether the model is unknown or forbidden', async () => {
    const log: string[] = [];
    const note = <T>(word: string, value: T): T => {
      log.push(word);
      return value;
    };
    const trail = async (known: boolean, allowed: boolean) => {
      log.length = 0;
      await openPipeline(
        stagesFixture({
          routes: { find: () => note('route', known ? modelFixture() : undefined) },
          rights: {
            decide: () => note('rights', { detail: allowed ? ('logits' as const) : undefined, because: '' }),
          },
          rates: { take: () => note('rate', undefined) },
        }),
      ).infer(questionFixture([[1, 0, 0]]));
      return [...log];
    };
    expect(await trail(false, true)).toEqual(await trail(true, false));
    expect(await trail(false, false)).toEqual(await trail(true, false));
  });

  it.each([
    ['a model that is not there', { routes: { find: () => undefined } }],
    [
      'inputs that do not fit',
      { routes: { find: () => modelFixture({ metadata: { ...modelFixture().metadata, inputs: [] } }) } },
    ],
  ])('counts %s as a request', async (_, over) => {
    const taken: unknown[] = [];
    const rates = {
      take: (who: { readonly principal: { readonly id: string } | undefined }, n: number) => {
        taken.push([who.principal?.id, n]);
        return undefined;
      },
    };
    await openPipeline(stagesFixture({ ...over, rates })).infer(questionFixture([[1, 0, 0]]));
    expect(taken).toEqual([['ann', 1]]);
  });

  it('counts failed credentials against the address', async () => {
    const taken: unknown[] = [];
    const stages = stagesFixture({
      identifier: {
        identify: () => {
          throw new Refused('unauthenticated', 'no');
        },
      },
      rates: {
        take: (who, n) => {
          taken.push([who, n]);
          return undefined;
        },
      },
    });
    await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
    expect(taken).toEqual([[{ principal: undefined, address: CALLER.address }, 1]]);
  });
});

describe('several guards', () => {
  const later = async <T>(given: T): Promise<T> => {
    await new Promise((done) => setImmediate(done));
    return given;
  };

  it.each(['before', 'after'] as const)(
    'count by the gravest word, whoever speaks last (%s)',
    async (phase) => {
      for (const wait of [<T>(given: T) => given, later]) {
        const words = (['pass', 'degrade', 'flag', 'pass'] as const).map((action, i) =>
          guard(`g${i}`, phase, () => wait({ action, score: i })),
        );
        const stages = stagesFixture({ guards: () => words });
        await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
        expect(decisionOf(stages)).toMatchObject({ outcome: 'answered', detail: 'label' });
        expect(decisionOf(stages).guards.map(({ action }) => action)).toEqual([
          'pass',
          'degrade',
          'flag',
          'pass',
        ]);
      }
    },
  );

  it.each(['before', 'after'] as const)('are asked behind one that answers later (%s)', async (phase) => {
    const stages = stagesFixture({
      guards: () => [
        guard('slow', phase, () => later({ action: 'pass', score: 0 } as const)),
        guard('strict', phase, () => ({ action: 'refuse', score: 9 })),
      ],
    });
    expect(await openPipeline(stages).infer(questionFixture([[1, 0, 0]]))).toMatchObject({
      refusal: 'unacceptable',
    });
    expect(decisionOf(stages).guards.map((each) => each.guard)).toEqual(['slow', 'strict']);
  });
});

it.each(['before', 'after'] as const)('a guard is told who asks, and from where (%s)', async (phase) => {
  const seen: unknown[] = [];
  const judge: InputGuard['judge'] = ({ principal, address }) => {
    seen.push([principal.id, address]);
    return { action: 'pass', score: 0 };
  };
  const stages = stagesFixture({ guards: () => [guard('g', phase, judge)] });
  await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
  expect(seen).toEqual([[decisionOf(stages).principal, CALLER.address]]);
});

describe('a guard that answers later', () => {
  it('and fails refuses, as one that fails at once does', async () => {
    for (const phase of ['before', 'after'] as const) {
      const stages = stagesFixture({
        guards: () => [guard('g', phase, () => Promise.reject(new Error('broken')))],
      });
      expect(await openPipeline(stages).infer(questionFixture([[1, 0, 0]]))).toMatchObject({
        refusal: 'failed',
      });
    }
  });
});

describe('a budget that is nearly used up', () => {
  it('is in the log with the detail that was told', async () => {
    const budgets = {
      take: () => 'label' as const,
      state: async () => ({ used: 9, limit: 10, step: 'label' as const }),
    };
    const stages = stagesFixture({ budgets });
    await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
    expect(decisionOf(stages)).toMatchObject({ outcome: 'answered', detail: 'label' });
  });
});

describe('a log that cannot be written', () => {
  it('lets no answer out', async () => {
    const fixture = stagesFixture();
    const stages = {
      ...fixture,
      recorder: {
        ...fixture.recorder,
        record: async () => {
          throw new GlacisError('output/unwritable', 'disk full');
        },
      },
    };
    expect(await openPipeline(stages).infer(questionFixture([[1, 0, 0]]))).toMatchObject({
      kind: 'refusal',
      refusal: 'unavailable',
    });
  });

  it('lets no refusal out either, but that nothing is served', async () => {
    const fixture = stagesFixture({ rates: { take: () => 7 } });
    const record = () => Promise.reject(new GlacisError('output/unwritable', 'disk full'));
    const stages = { ...fixture, recorder: { ...fixture.recorder, record } };
    const reply = await openPipeline(stages).infer(questionFixture([[1, 0, 0]]));
    expect(reply).toMatchObject({ kind: 'refusal', refusal: 'unavailable', retryAfter: undefined });
  });

  it('ends the service', async () => {
    let asked = false;
    const fixture = stagesFixture({
      routes: {
        find: () => {
          asked = true;
          return undefined;
        },
      },
    });
    const gateway = openPipeline({ ...fixture, recorder: { ...fixture.recorder, broken: 'disk full' } });
    expect(gateway.isReady()).toBe(false);
    expect(await gateway.infer(questionFixture([[1, 0, 0]]))).toMatchObject({ refusal: 'unavailable' });
    expect(asked).toBe(false);
  });
});

describe('a question about a model', () => {
  const ask = (stages: Stages) => [
    openPipeline(stages).describe(CALLER, 'm', undefined),
    openPipeline(stages).modelReady(CALLER, 'm', undefined),
  ];

  it('is not answered while the log cannot be written', async () => {
    const fixture = stagesFixture();
    const broken = { ...fixture, recorder: { ...fixture.recorder, broken: 'disk full' } };
    for (const reply of await Promise.all(ask(broken)))
      expect(reply).toMatchObject({ kind: 'refusal', refusal: 'unavailable' });
  });

  it('counts as a request of who asks', async () => {
    const stages = stagesFixture({ rates: { take: () => 7 } });
    for (const reply of await Promise.all(ask(stages)))
      expect(reply).toMatchObject({ kind: 'refusal', refusal: 'throttled', retryAfter: 7 });
  });

  it('is answered when it is due', async () => {
    let due = (): void => {};
    const held = new Promise<void>((resolve) => {
      due = resolve;
    });
    const replies = ask(stagesFixture({ schedule: { due: () => held } }));
    const all = Promise.all(replies);
    expect(await Promise.race([...replies, new Promise((later) => setTimeout(later, 20, 'not yet'))])).toBe(
      'not yet',
    );
    due();
    for (const reply of await all) expect(reply).toMatchObject({ kind: 'description' });
  });
});

describe('what a call took of its budget', () => {
  const ended = async (run: ServedModel['run']) => {
    const given: unknown[] = [];
    const model = modelFixture({ run });
    const stages = stagesFixture({
      routes: { find: () => model },
      budgets: {
        take: () => 'full',
        refund: (principal, name, n) => void given.push([principal.id, name, n]),
        state: async () => ({ used: 0, limit: 1, step: 'full' }),
      },
    });
    await openPipeline(stages).infer(
      questionFixture([
        [1, 0, 0],
        [2, 0, 0],
      ]),
    );
    return given;
  };

  it('is given back where it failed through no fault of the caller', async () => {
    for (const refusal of ['failed', 'unavailable', 'late'] as const)
      expect(await ended(() => Promise.reject(new Refused(refusal, 'x')))).toEqual([['ann', 'm', 2]]);
  });

  it('stays taken where it was refused for what it is, or answered', async () => {
    expect(await ended(() => Promise.reject(new Refused('mismatched', 'x')))).toEqual([]);
    expect(await ended(modelFixture().run)).toEqual([]);
  });
});

describe('a run', () => {
  it('is told by when it must begin, and whose call it is for', async () => {
    const asked: RunOptions[] = [];
    const model = modelFixture();
    const stages = stagesFixture({
      routes: {
        find: () => ({
          ...model,
          run(inputs, options) {
            asked.push(options);
            return model.run(inputs, options);
          },
        }),
      },
    });
    const { decision } = await openPipeline(stages).infer(questionFixture([[1, 0, 0]], { arrived: 500 }));
    expect(asked).toMatchObject([{ n: 1, deadline: 1500, by: { principal: 'ann', decision } }]);
  });
});

describe('inputs', () => {
  const inputs = (shape: number[], over: object = {}) => ({
    inputs: [
      {
        name: 'x',
        datatype: 'FP32' as const,
        shape,
        data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
        ...over,
      },
    ],
    binaryOutput: false,
  });
  const cases: readonly (readonly [string, string, object])[] = [
    ['of a missing name', 'mismatched', { inputs: [], binaryOutput: false }],
    ['of an unknown name', 'mismatched', inputs([1, 3], { name: 'w' })],
    ['of another type', 'mismatched', inputs([1, 3], { datatype: 'FP64', data: new Float64Array(3) })],
    ['of another rank', 'mismatched', inputs([3])],
    ['of another size', 'mismatched', inputs([1, 4])],
    ['of no samples', 'mismatched', inputs([0, 3])],
    ['of too many samples', 'too-large', inputs([17, 3])],
    [
      'one too many',
      'mismatched',
      { inputs: [...inputs([1, 3]).inputs, ...inputs([1, 3], { name: 'w' }).inputs], binaryOutput: false },
    ],
  ];
  it.each(cases)('%s are refused as %s', async (_, refusal, request) => {
    const reply = await openPipeline(stagesFixture()).infer(
      questionFixture([[1, 0, 0]], { request: request as never }),
    );
    expect(reply).toMatchObject({ kind: 'refusal', refusal });
  });
});

describe('descriptions and malformed requests', () => {
  it('describes a model to who may know it, and refuses alike otherwise', async () => {
    expect(await openPipeline(stagesFixture()).describe(CALLER, 'm', undefined)).toMatchObject({
      kind: 'description',
      metadata: { name: 'm' },
    });
    expect(await openPipeline(stagesFixture()).describe(CALLER, 'other', undefined)).toMatchObject({
      refusal: 'unknown',
    });
    expect(
      await openPipeline(
        stagesFixture({ rights: { decide: () => ({ detail: undefined, because: 'no policy' }) } }),
      ).modelReady(CALLER, 'm', undefined),
    ).toMatchObject({ refusal: 'unknown' });
  });

  it('logs what never became a question, and lets the address pay for it', async () => {
    const stages = stagesFixture();
    const malformed = { refusal: 'malformed' as const, because: 'no JSON', arrived: performance.now() };
    expect(await openPipeline(stages).malformed(CALLER, malformed)).toMatchObject({ refusal: 'malformed' });
    expect(decisionOf(stages)).toMatchObject({
      outcome: 'malformed',
      because: 'no JSON',
      address: CALLER.address,
    });
    const slow = stagesFixture({ rates: { take: () => 3 } });
    expect(await openPipeline(slow).malformed(CALLER, malformed)).toMatchObject({
      refusal: 'throttled',
      retryAfter: 3,
    });
  });
});

describe('the catalogue', () => {
  it('has a status and a message for each refusal', () => {
    for (const { status, grpc, message } of Object.values(REFUSALS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(grpc).toBeGreaterThan(0);
      expect(message).toMatch(/^[a-z' ]+$/);
    }
  });
});
