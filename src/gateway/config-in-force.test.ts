import { beforeEach, describe, expect, it } from 'vitest';
import type { Policy } from '../policy/read-policy.ts';
import { readServe } from './config/read-serve.ts';
import type { ServeConfig } from './config/serve-schema.ts';
import { type ConfiguredParts, configInForce, type Told } from './config-in-force.ts';
import type { Event } from './decision.ts';

const configOf = (serve: object): ServeConfig => readServe(JSON.stringify({ serve }), 'test').config;
const policyOf = (name: string): Policy => ({
  signers: {},
  threats: {},
  entries: [{ name, stages: {} }],
  exceptions: [],
});

/** What happened, in order. */
let acts: string[];
let events: Event[];
/** What the file says when it is read again. */
let file: Told;
/** The part whose reload fails. */
let broken: string | undefined;
beforeEach(() => {
  [acts, events, broken] = [[], [], undefined];
});

function inForceFrom(first: Told) {
  const act = async (name: string) => {
    if (name === broken) throw new Error(`${name} is broken`);
    acts.push(name);
  };
  const prepare = (name: string) => async () => {
    await act(`prepare ${name}`);
    return () => void acts.push(`use ${name}`);
  };
  const inForce = configInForce(first, { reread: async () => file }, {
    settings: { over: (config: ServeConfig) => config },
    rights: { prepare: prepare('rights'), digest: 'sha256:r' },
    management: { prepare: prepare('management'), digest: 'sha256:m' },
    identity: { prepare: prepare('identity') },
    operations: {
      prepare: prepare('operations'),
      incidents: { reload: () => void acts.push('incidents') },
    },
    rates: { change: () => void acts.push('rates') },
    budgets: { change: ({ steps }: ServeConfig['budgets']) => act(`budgets ${steps.label}`) },
    parts: {
      reload() {
        if (broken === 'parts') throw new Error('parts is broken');
        acts.push('parts');
      },
    },
    backends: () => ({
      async apply() {
        acts.push(`models by policy ${inForce.policy()?.entries[0]?.name}`);
        return [];
      },
    }),
    commitMarks: async ({ answers }: ServeConfig) => {
      if (answers.watermark) acts.push('commit');
    },
    renewTls: async () => void acts.push('tls'),
    record: async (event: Event) => events.push(event) - 1,
    now: () => 7,
  } as unknown as ConfiguredParts);
  return inForce;
}

describe('a configuration that is read again', () => {
  it('is in force whole: what can refuse comes first, and models are admitted by the new policy', async () => {
    const inForce = inForceFrom({ config: configOf({}), policy: policyOf('old') });
    file = { config: configOf({ budgets: { steps: { label: 0.5 } } }), policy: policyOf('new') };
    expect(await inForce.reload('ann')).toEqual({ reloaded: true, notLoaded: [] });
    expect(acts).toEqual([
      ...['prepare rights', 'prepare management', 'prepare identity', 'prepare operations'],
      ...['budgets 0.5', 'parts', 'rates', 'incidents'],
      ...['use rights', 'use management', 'use identity', 'use operations'],
      ...['models by policy new', 'tls'],
    ]);
    expect([inForce.current(), inForce.written(), inForce.policy()]).toEqual([
      ...[file.config, file.config, file.policy],
    ]);
    expect(events).toEqual([
      {
        ...{ kind: 'event', at: 7, event: 'reloaded', by: 'ann' },
        about: { refused: 0, rights: 'sha256:r', management: 'sha256:m' },
      },
    ]);
  });

  it.each(['prepare rights', 'prepare management', 'prepare identity', 'prepare operations', 'parts'])(
    'changes nothing where %s refuses',
    async (name) => {
      const first = { config: configOf({}), policy: policyOf('old') };
      const inForce = inForceFrom(first);
      file = { config: configOf({ budgets: { steps: { label: 0.5 } } }), policy: policyOf('new') };
      broken = name;
      await expect(inForce.reload('ann')).rejects.toThrow('broken');
      // Budgets that were changed on the way are changed back.
      if (name === 'parts')
        expect(acts.slice(-2)).toEqual(['budgets 0.5', `budgets ${first.config.budgets.steps.label}`]);
      expect(acts.filter((each) => /^(use|models|incidents|rates|tls)/.test(each))).toEqual([]);
      expect([inForce.current(), inForce.policy()]).toEqual([first.config, first.policy]);
      expect(events).toEqual([]);
    },
  );

  it('fixes what marks rest on before the first answer is marked', async () => {
    const inForce = inForceFrom({ config: configOf({}) });
    file = { config: configOf({ answers: { watermark: { rate: 0.005 } } }) };
    await inForce.reload('ann');
    expect(acts.indexOf('commit')).toBeGreaterThan(-1);
    expect(acts.indexOf('commit')).toBeLessThan(acts.indexOf('parts'));
  });

  it.each<[string, object]>([
    ['listen', { listen: { port: 1 } }],
    ['management', { management: { port: 1 } }],
    ['store', { store: { kind: 'sqlite', file: 'other.db' } }],
    ['log', { log: { who: 'sealed' } }],
    ['timing', { timing: { every: 25 } }],
    ['rights', { rights: { policies: 'rights/' } }],
    ['memory', { memory: 2 ** 30 }],
    ['threads', { threads: 1 }],
    ['lostThreads', { lostThreads: 1 }],
    ['recheckSeconds', { recheckSeconds: 61 }],
    ['mostSamples', { mostSamples: 1 }],
    ['mostBytes', { mostBytes: 2048 }],
    ['timeout', { timeout: 1 }],
    ['rates', { rates: { mostTracked: 1000 } }],
    ['budgets', { budgets: { lease: 1 } }],
    ['identity.keys', { identity: { keys: { lifetime: '1 day' } } }],
    ['identity.failures', { identity: { failures: { burst: 1 } } }],
    ['console.assessments', { console: { assessments: 'reports' } }],
    ['verify.reviews', { verify: { model: 'm', reviews: { reviewers: 2 } } }],
  ])('does not take %s in silence: it holds from the start', async (name, changed) => {
    const inForce = inForceFrom({ config: configOf({}) });
    file = { config: configOf(changed) };
    await expect(inForce.reload('ann')).rejects.toMatchObject({
      code: 'option/invalid',
      message: `reload: expected ${name} as they were; restart to change them`,
    });
    expect(acts).toEqual([]);
  });

  it('needs a file', async () => {
    const around = {} as ConfiguredParts;
    const inForce = configInForce({ config: configOf({}) }, { reread: undefined }, around);
    await expect(inForce.reload('ann')).rejects.toMatchObject({ code: 'option/invalid' });
  });
});
