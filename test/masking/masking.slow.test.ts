import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/onnx/model.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { type BaseName, HONEST, haveModels, openBase } from './bases.ts';
import type { Defence } from './defence.ts';
import { HELD_OUT, HELD_OUT_HONEST } from './held-out.ts';
import { SECOND_HELD_OUT, SECOND_HELD_OUT_HONEST } from './second-held-out.ts';
import { checkTrial, openTrial } from './trial.ts';

/** Fewer of the network whose passes take longest. */
const samplesOf = (on: BaseName): number => (on === 'cifar10-resnet14' ? 8 : 16);
const ATTACKS = 'fgsm, pgd, apgd-ce(steps=50), square(queries=200)';

const GUIDE = readFileSync(new URL('../../docs/masking.md', import.meta.url), 'utf8');

/** The verdict of the second judgement that docs/masking.md shows: the last cell of the defence's row. */
function statedFor({ id, on }: Pick<Defence, 'id' | 'on'>): string | undefined {
  const second = GUIDE.slice(GUIDE.indexOf('## A second judgement'));
  const row = second.split('\n').find((line) => line.startsWith(`| ${id} | ${on} |`));
  return row?.split('|').at(-2)?.trim();
}

describe.skipIf(!haveModels)(
  'trained models (skipped without GLACIS_SHARED, which names their folder)',
  () => {
    let engine: Engine;
    beforeAll(() => {
      engine = startEngine({ threads: 1 });
    });
    afterAll(() => engine.close());

    async function judged({ on, apply }: Pick<Defence, 'on' | 'apply'>) {
      const base = await openBase(on, samplesOf(on));
      const trial = await openTrial(engine, apply(base.model), base);
      try {
        return await checkTrial(trial, base.eps[1], { attacks: ATTACKS });
      } finally {
        await trial.close();
      }
    }

    it.each(HELD_OUT)('$on with $id gets a verdict of masking', async (defence) => {
      expect((await judged(defence)).masked).toBe(true);
    });

    it.each([...SECOND_HELD_OUT, ...SECOND_HELD_OUT_HONEST])(
      '$on with $id gets the verdict that docs/masking.md states',
      async (defence) => {
        expect((await judged(defence)).masked ? 'masked' : 'not masked').toBe(statedFor(defence));
      },
    );

    it.each([
      ...HONEST.map((on) => ({ id: 'nothing', on, apply: (model: Model) => model })),
      ...HELD_OUT_HONEST,
    ])('$on with $id gets none', async (honest) => {
      const { checks, masked } = await judged(honest);
      expect(checks.filter(({ masking, verdict }) => masking && verdict === 'suspicious')).toEqual([]);
      expect(masked).toBe(false);
    });
  },
);
