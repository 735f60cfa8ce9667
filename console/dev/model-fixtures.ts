import type { ModelStatus } from '../../src/gateway/backend/model-status.ts';
import type { AssessmentRow, ModelClasses } from '../../src/gateway/console/api.ts';
import { type Fixture, type FixtureCall, Refusal } from './fixture-server.ts';
import { DIGESTS, type World } from './world.ts';
import { classNamesOf } from './world-monitors.ts';

/** Models: how they stand, back to the version before, a canary, and asking registries again. */
export const modelFixtures: readonly Fixture[] = [
  {
    method: 'GET',
    path: '/api/models',
    run: ({ world }) => ({ models: modelsOf(world), memory: { used: 61_200_000, limit: 4_294_967_296 } }),
  },
  {
    method: 'GET',
    path: '/api/models/:name/classes',
    run: ({ params }): ModelClasses => ({ model: params.name!, classNames: classNamesOf(params.name!) }),
  },
  { method: 'POST', path: '/api/models/:name/rollback', run: rollback },
  { method: 'POST', path: '/api/models/:name/canary', run: canary },
  {
    method: 'POST',
    path: '/api/models/recheck',
    run: ({ world }) => modelsOf(world),
  },
  {
    method: 'GET',
    path: '/api/assessments',
    run: ({ world, query }) => ({
      rows: (world.isEmpty ? [] : assessmentsAt(world.now())).filter(({ digest }) =>
        digest.includes(query.find ?? ''),
      ),
      unreadable: 0,
      configured: true,
    }),
  },
];

/** One assessment of each version of the signs. */
function assessmentsAt(now: number): readonly AssessmentRow[] {
  const row = (id: string, digest: string, kept: readonly number[]): AssessmentRow => ({
    id,
    at: now - 6 * 86_400_000,
    model: 'traffic-signs.onnx',
    digest,
    data: '1,000 rendered pictures of traffic signs',
    dataDigest: DIGESTS.digits,
    n: 1000,
    status: 'complete',
    cleanAccuracy: 0.962,
    robust: kept.map((accuracy, i) => ({
      norm: i < 4 ? 'linf' : 'l2',
      eps: i < 4 ? 2 ** i / 255 : (i - 3) / 4,
      accuracy,
      low: accuracy - 0.028,
      high: accuracy + 0.026,
      attacks: 5,
    })),
    findings: [{ id: 'F1', title: 'Class Stop falls first', severity: 'medium' }],
    hasReport: true,
  });
  return [
    row('signs-4', DIGESTS.signs4, [0.91, 0.86, 0.74, 0.55]),
    row('signs-3', DIGESTS.signs3, [0.87, 0.74, 0.46, 0.14, 0.8, 0.61, 0.4]),
  ];
}

/** How all models stand. */
export function modelsOf(world: World): readonly ModelStatus[] {
  const version = (
    name: string,
    digest: string,
    given: Partial<ModelStatus['versions'][number]> = {},
  ): ModelStatus['versions'][number] => ({
    version: name,
    digest,
    metadata: {
      name: 'model',
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, 32, 32] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 12] }],
    },
    checks: [
      { check: 'digest', by: 'glacis.yaml' },
      { check: 'signature', by: 'release@example.org (ed25519 4f:1c:90)' },
      { check: 'gate', by: 'stage production: 7 of 7 requirements' },
      { check: 'registry', by: 'alias production, approved by grace and ada' },
    ],
    notes: [],
    stopped: undefined,
    load: { open: 2, waiting: 0 },
    ...given,
  });
  const all: Readonly<Record<string, readonly ModelStatus['versions'][number][]>> = {
    'traffic-signs': [
      version('4', DIGESTS.signs4, { notes: ['trained on 12 % more pictures at dusk'] }),
      version('3', DIGESTS.signs3, { load: { open: 5, waiting: 12 } }),
      version('2', DIGESTS.signs2, { stopped: undefined }),
    ],
    digits: [
      version('1', DIGESTS.digits, {
        checks: [{ check: 'as-given', by: 'glacis.yaml says asGiven' }],
        notes: ['served without a check'],
      }),
    ],
    credit: [
      version('1', DIGESTS.credit, {
        load: { open: 1, waiting: 0, circuit: 'closed' },
        metadata: {
          name: 'credit',
          platform: 'onnxruntime_onnx',
          inputs: [{ name: 'applicant', datatype: 'FP32', shape: [-1, 24] }],
          outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 2] }],
        },
      }),
    ],
  };
  return [...world.service].map(([model, { use, canary: share }]): ModelStatus => {
    const versions = all[model] ?? [];
    const before = versions.find(({ version: name }) => name === '2' || (use === '2' && name === '3'));
    return {
      model,
      use,
      canary: share,
      shadow: model === 'traffic-signs' ? { version: '4', share: 0.2 } : undefined,
      previous:
        before && before.version !== use ? { version: before.version, digest: before.digest } : undefined,
      versions,
    };
  });
}

function rollback({ world, params }: FixtureCall): unknown {
  const model = modelsOf(world).find((each) => each.model === params.name);
  if (model?.previous === undefined)
    throw new Refusal(400, `model ${params.name}: expected a version before, got none`);
  world.service.set(model.model, { use: model.previous.version });
  world.publish({ kind: 'models' });
  return modelsOf(world).find((each) => each.model === params.name);
}

function canary({ world, params, body }: FixtureCall): unknown {
  const now = world.service.get(params.name!);
  if (now === undefined) return undefined;
  now.canary =
    typeof body.version === 'string'
      ? { version: body.version, share: Number(body.share ?? 0.05) }
      : undefined;
  world.publish({ kind: 'models' });
  return modelsOf(world).find((each) => each.model === params.name);
}
