import type { PolicyView, WhatIf, WhatIfChange } from '../../../src/gateway/console/api.ts';
import { GUARDS } from '../../../src/gateway/guards/registry.ts';
import { DEFAULT_MANAGEMENT } from '../../../src/gateway/identity/management.ts';
import type { Fixture } from '../fixture-server.ts';

const digest = `sha256:${'4c1d'.repeat(16)}`;

/** A policy view and replays that are made up: what they look like does not depend on a gateway. */
export const policyFixtures: readonly Fixture[] = [
  { method: 'GET', path: '/api/policy', run: () => VIEW },
  {
    method: 'POST',
    path: '/api/what-if',
    run: ({ body }) => replay('w1', body.change as WhatIfChange, 'running'),
  },
  {
    method: 'GET',
    path: '/api/what-if/:id',
    run: ({ params }) =>
      replay(params.id!, { kind: 'guard', guard: 'margin', threshold: 1, action: 'flag' }, 'done'),
  },
  { method: 'POST', path: '/api/reload', run: () => ({ reloaded: true, notLoaded: [] }) },
];

const VIEW: PolicyView = {
  text: 'schema: glacis.policy/1\nsigners:\n  release: { key: sha256:… }\nmodels:\n  - name: traffic-signs\n    stages:\n      production: [{ require: signature }, { require: scan }, { require: robustAccuracy, threat: noise, least: 0.7 }]\n',
  digest,
  models: [
    {
      ...{ model: 'traffic-signs', version: '3', digest, stage: 'production', served: true },
      requirements: [
        {
          name: 'gate',
          says: 'The policy lets it through to its stage',
          state: 'met',
          because: 'production: ci, release',
        },
        {
          name: 'signature',
          stage: 'production',
          says: 'signed by release',
          state: 'met',
          because: 'key sha256:4c1d…',
        },
        {
          name: 'scan',
          stage: 'production',
          says: 'a scan that found nothing of severity high',
          state: 'met',
          because: '0 findings, 12 files, made by ci yesterday',
        },
        {
          name: 'robustAccuracy',
          stage: 'production',
          says: 'robust accuracy of at least 70 % against noise (L∞ 8/255)',
          state: 'excepted',
          because: 'grace lets it pass until 2026-12-31: the hardened one ships in December',
        },
      ],
    },
    {
      ...{ model: 'traffic-signs', version: '4', digest: undefined, stage: 'production', served: false },
      requirements: [
        {
          name: 'gate',
          says: 'The policy lets it through to its stage',
          state: 'not-met',
          because: 'gate: not let through to production: scan: 1 finding of severity critical',
        },
        {
          name: 'scan',
          stage: 'production',
          says: 'a scan that found nothing of severity high',
          state: 'not-met',
          because: 'critical: pickle calls os.system',
        },
        {
          name: 'robustAccuracy',
          stage: 'production',
          says: 'robust accuracy of at least 70 % against noise (L∞ 8/255)',
          state: 'missing',
          because: 'no verified statement about this model speaks of it',
        },
      ],
    },
    {
      ...{ model: 'digits', version: '1', digest, served: true },
      requirements: [
        {
          name: 'as-given',
          says: 'Nothing: it is taken as it is',
          state: 'none',
          because: 'Nobody vouches for it: sign it, or ask for evidence at a stage',
        },
        {
          name: 'signature',
          stage: 'production',
          says: 'signed by release',
          state: 'missing',
          because: 'nobody signed it',
        },
      ],
    },
  ],
  rights: [
    {
      side: 'public',
      digest,
      policies: [
        {
          id: 'glacis/default',
          effect: 'permit',
          text: '@id("glacis/default")\npermit (principal, action, resource);',
        },
      ],
    },
    {
      side: 'management',
      digest,
      policies: [{ id: 'glacis/defaults', effect: 'permit', text: DEFAULT_MANAGEMENT.trim() }],
      problem: 'rights/ops.cedar:3:14: unexpected token <b>',
    },
  ],
  guards: GUARDS.slice(0, 8).map(({ kind }, i) => ({
    ...{ model: 'traffic-signs', guard: kind.name, about: kind.about, isOn: kind.name !== 'energy' },
    ...(i < 3
      ? { threshold: undefined, action: undefined }
      : { threshold: [0.213, 3.4, 71.2, 8.9, 0.61][i - 3], action: 'flag' }),
    ...(i === 4 && {
      overridden: {
        ...{ id: 'O-1', by: 'ada', at: 1, measure: 'guard' as const, because: 'case C-2026-0012' },
        ...{ target: { model: 'traffic-signs' }, guard: { name: kind.name, strictness: 0.5 } },
      },
    }),
  })),
  budgets: [
    {
      per: 'principal',
      who: ['*'],
      models: ['*'],
      queries: 50_000,
      window: 28 * 86_400_000,
      together: false,
    },
    { per: 'tenant', who: ['trial'], models: ['*'], queries: 5_000, window: 7 * 86_400_000, together: true },
  ],
  rates: [
    { per: 'principal', requests: 500, every: 'second' },
    { per: 'all', samples: 20_000, every: 'second' },
  ],
};

function replay(id: string, change: WhatIfChange, state: WhatIf['state']): WhatIf {
  return {
    ...{ id, state, change, looked: state === 'done' ? 184_230 : 61_000 },
    progress: state === 'done' ? [184_230, 184_230] : [61_000, 184_230],
    caveats: ['Guards that remember callers were not replayed: their memory of then is gone.'],
    changed: [
      { from: 'answered', to: 'unacceptable', calls: 812, samples: 840 },
      { from: 'answered', to: 'flagged', calls: 140, samples: 140 },
    ],
    principals: [
      { principal: 'probe-a7', calls: 900, changed: 806, inCases: true },
      { principal: '<i>gate-cam-07</i>', calls: 21_411, changed: 6, inCases: false },
    ],
    days: Array.from(
      { length: 7 },
      (_, i) => [Date.now() - (7 - i) * 86_400_000, [0, 2, 1, 40, 320, 410, 179][i]!] as const,
    ),
  };
}
