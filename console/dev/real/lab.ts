import { join } from 'node:path';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { openLab } from '../../../src/cli/lab/open-lab.ts';
import { writeNpz } from '../../../src/data/index.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import { holdModel } from '../../../src/gateway/backend/admission/held-model.ts';
import type { LabModel } from '../../../src/gateway/console/lab.ts';
import { labSchema } from '../../../src/gateway/console/lab-schema.ts';
import { labRoutes } from '../../../src/gateway/manage/lab-routes.ts';
import { decision as recordedDecision } from '../../../src/gateway/record/record.fixture.ts';
import type { Fixture } from '../fixture-server.ts';
import { fromRoutes } from './from-routes.ts';

const PICTURES = 16;

/** The real lab on the bundled classifier of traffic signs and its hardened form. */
export async function openRealLab(
  folder: string,
): Promise<{ fixtures: readonly Fixture[]; close(): Promise<void> }> {
  const example = await bundledExample();
  const { x, y } = renderSplit({ seed: 3, split: 'test', n: PICTURES, start: 0 });
  const inputs = join(folder, 'signs.npz');
  await writeNpz(inputs, {
    x: { data: x, shape: [PICTURES, ...SIGN_SHAPE] },
    y: { data: Uint8Array.from(y), shape: [PICTURES] },
  });
  const sent = Float32Array.from(x.subarray(0, x.length / PICTURES), (value) => value / 255);
  const setting = { inputs, classNames: SIGN_CLASSES.map(({ name }) => name) };
  const lab = openLab(labSchema.parse({ models: { 'traffic-signs': setting, hardened: setting } }), {
    placeOf: (path) => path,
  });
  const models = await Promise.all([
    modelAt('traffic-signs', example.model),
    modelAt('hardened', example.hardened),
  ]);
  return {
    fixtures: fromRoutes(
      labRoutes({
        ...{ lab, models: () => models, now: Date.now },
        classNames: async () => setting.classNames,
        kept: async (id) => ({
          ...{ entry: 37, state: 'kept' as const, inputs: [new Uint8Array(sent.buffer)] },
          decision: { ...recordedDecision(1, { id, model: 'traffic-signs', n: 1 }), bucket: 5, guards: [] },
        }),
        find: () => ({
          metadata: {
            ...{ name: 'traffic-signs', platform: '', outputs: [] },
            inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, ...SIGN_SHAPE] }],
          },
          classifier: { input: 'input', sampleDims: SIGN_SHAPE },
        }),
      }),
    ),
    close: () => lab.close(),
  };
}

async function modelAt(model: string, path: string): Promise<LabModel> {
  const { root } = await holdModel(path, { most: 2 ** 30, ignore: [] });
  return {
    ...{ model, version: '1', digest: root, source: { path, ignore: [] } },
    classifier: {
      ...{ input: 'input', sampleDims: SIGN_SHAPE, output: 'logits' },
      ...{ classes: SIGN_CLASSES.length, gives: 'logits' },
    },
    ask: () => Promise.reject(new Error('it has the file')),
  };
}
