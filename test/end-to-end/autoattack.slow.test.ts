import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runAttack } from '../../src/assess/evasion.ts';
import { goalFor } from '../../src/assess/goal-for.ts';
import { load } from '../../src/assess/load.ts';
import { judge } from '../../src/assess/subject.ts';
import { runCascade, stageOf } from '../../src/attack/cascade.ts';
import { apgdCe } from '../../src/attack/evasion/apgd.ts';
import { autoattack } from '../../src/attack/evasion/autoattack.ts';
import { type PlannedAttack, planned } from '../../src/attack/registry.ts';
import { silent } from '../../src/core/progress.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { dataOf, haveReferences, modelOf, referenceFor } from './reference-models.ts';

/** What the authors' own AutoAttack found on the first 500 test images. */
interface AutoAttackReference {
  readonly eps: number;
  readonly clean: number;
  readonly after_apgd_ce: number;
  readonly after_apgd_t: number;
  readonly robust: number;
}

/** Numbers of samples in a whole run of ours, which took minutes: what fell behind the first stage, and some of what stood. */
const KNOWN: Readonly<
  Record<
    'mnist-cnn' | 'mnist-cnn-adv',
    { readonly fell: readonly number[]; readonly stood: readonly number[] }
  >
> = {
  'mnist-cnn': { fell: [104, 469], stood: [0, 1, 2, 3, 4, 5] },
  'mnist-cnn-adv': { fell: [16, 93, 96, 212, 227, 372, 432, 434, 441, 452, 469, 499], stood: [0, 1, 2, 3] },
};

const WHOLE = planned(autoattack);
/** With the random numbers that it has in the whole. */
const FIRST_STAGE = planned({ ...autoattack, run: (run) => runCascade(run, [stageOf(apgdCe)]) });

const N = 500;
/** A minute on two free cores; a machine with other work takes longer. */
const PATIENCE = 20 * 60_000;
/** Random starts move a stage's figure by a sample or two; above the reference by more is weaker. */
const SLACK = 0.003 + 1e-9;

describe.skipIf(!haveReferences)(
  "AutoAttack beside the authors' own (skipped without GLACIS_SHARED: figures on trained models to meet)",
  () => {
    // The first stage is run on all samples, the whole of it on those that fell to a later stage in a run of ours. All others count as standing, so that the
    // figure can only be too high, and meets the reference all the same.
    it.each(['mnist-cnn', 'mnist-cnn-adv'] as const)(
      '%s',
      async (name) => {
        const { autoattack_reference: expected } = JSON.parse(
          readFileSync(modelOf(name).replace(/onnx$/, 'json'), 'utf8'),
        ) as { readonly autoattack_reference: AutoAttackReference };
        const { eps } = referenceFor(name);
        expect(eps).toBe(expected.eps);
        const engine = startEngine({});
        const loaded = await load(engine, { model: modelOf(name), data: dataOf(name), n: N });
        try {
          const { subject, adapted, task, labels, bounds, batch } = loaded;
          const { x } = await adapted.read(0, N);
          const goal = goalFor(task, labels, subject.classes, undefined);
          const { reached: wrong } = await judge(subject, goal, x, N, undefined);
          expect(wrong.filter((is) => !is).length / N).toBe(expected.clean);
          const attacked = async (plan: PlannedAttack, chosen: (i: number) => boolean) => {
            const reached = wrong.map((is, i) => (is || !chosen(i) ? 1 : 0));
            const options = { seed: 0, batch, firstSample: 0, progress: silent };
            const ball = { norm: 'linf', eps, bounds } as const;
            return runAttack(subject, plan, goal, ball, x, { reached }, options);
          };
          const first = await attacked(FIRST_STAGE, () => true);
          const stands = wrong.map((is, i) => (is || first.success[i] ? 0 : 1));
          const share = (count: number) => count / N;
          const afterCe = stands.reduce((sum, one) => sum + one, 0);
          expect(share(afterCe)).toBeLessThanOrEqual(expected.after_apgd_ce + SLACK);

          const { fell, stood } = KNOWN[name];
          const all = new Set([...fell, ...stood]);
          const { success, by } = await attacked(WHOLE, (i) => stands[i] === 1 && all.has(i));
          const apgdT = 1 + WHOLE.attack.parts!.indexOf('apgd-t');
          const byApgd = fell.filter((i) => success[i] && by[i]! <= apgdT).length;
          const byAny = fell.filter((i) => success[i]).length;
          expect(share(afterCe - byApgd)).toBeLessThanOrEqual(expected.after_apgd_t + SLACK);
          expect(share(afterCe - byAny)).toBeLessThanOrEqual(expected.robust + SLACK);
          // An example counts only because the file itself fell for it: what stood falls by an error of the count.
          expect(stood.filter((i) => success[i]).length).toBeLessThanOrEqual(1);
        } finally {
          await loaded.close();
          await engine.close();
        }
      },
      PATIENCE,
    );
  },
);
