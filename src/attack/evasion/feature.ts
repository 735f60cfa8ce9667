import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Attack, type AttackRun, defineAttack } from '../attack.ts';
import { featureAnswerer, featuresOf } from '../feature-answers.ts';
import { choiceOf, wholeFrom } from '../option-checks.ts';
import { runTalks } from '../sample-attack.ts';
import { whiteBoxOf } from '../white-box.ts';
import { apgdRun } from './apgd-run.ts';

/** Options of feature adversaries. */
export interface FeatureOptions {
  /** Gradient steps towards each guide. */
  readonly steps: number;
  /** Guides that are tried, the nearest in the layer first. */
  readonly guides: number;
  /** Name of the value whose activations are to match; empty for what the last layer with weights takes in. */
  readonly layer: string;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Most samples that guides are chosen from, spread evenly over the run's. */
const POOL = 128;

/** Share of the steps between two checkpoints that must have raised the loss, as published for Auto-PGD. */
const RHO = 0.75;

/** For each sample to attack, the activations of its nearest guides, the nearest first. */
async function guidesFor(
  run: AttackRun<FeatureOptions>,
): Promise<ReadonlyMap<number, readonly Float32Array[]>> {
  const { x0, todo, goal, batch, options, signal } = run;
  const target = whiteBoxOf(run);
  const n = x0.length / elementCount(target.sampleDims);
  const pool = Array.from({ length: Math.min(n, POOL) }, (_, i) => Math.floor((i * n) / Math.min(n, POOL)));
  const guides: { readonly aim: number | undefined; readonly features: Float32Array }[] = [];
  for await (const { sample, features } of featuresOf(target, options.layer, x0, pool, batch, signal))
    guides.push({ aim: goal.aim(sample), features: features.slice() });
  const nearest = new Map<number, readonly Float32Array[]>();
  for await (const { sample, features } of featuresOf(target, options.layer, x0, todo, batch, signal)) {
    const ranked = guides
      .filter(({ aim }) => aim !== goal.aim(sample))
      .map((guide) => ({ features: guide.features, far: squaredGap(guide.features, features) }))
      .sort((a, b) => a.far - b.far);
    nearest.set(
      sample,
      ranked.slice(0, options.guides).map((guide) => guide.features),
    );
  }
  return nearest;
}

function squaredGap(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i]! - b[i]!) ** 2;
  return total;
}

/**
 * Feature adversaries (Sabour et al. 2016): moves a sample, within the ball, until an inner layer's activations are those of a guide, a
 * sample of another class. Guides are the nearest in that layer among up to 128 of the run's clean samples, so results depend on the
 * data set. The squared distance is brought down by Auto-PGD's steps, where the authors use L-BFGS with a box. Where all samples have
 * one class, nothing is found. Errors: `model/unsupported-task` without classes to lead away from; those of the layer.
 * Cost: `guides × steps` gradients, `guides` answers, and a pass over the samples.
 */
export const feature: Attack<FeatureOptions> = defineAttack({
  id: 'feature',
  title: 'Feature adversaries',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1511.05122',
  use: 'Shows whether an inner layer can be made to see another sample: for models whose features others build on, and where the last layer hides the gradient.',
  defaults: { steps: 100, guides: 1, layer: '', rounding: 'zero' },
  check(options: FeatureOptions) {
    wholeFrom(options, 'steps', 1);
    wholeFrom(options, 'guides', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps, guides }) => ({ gradients: guides * steps, evaluations: guides + 1 }),
  async run(run) {
    const { goal, batch, options } = run;
    if (goal.targeted || (goal.task !== 'classification' && goal.task !== 'binary'))
      throw new GlacisError(
        'model/unsupported-task',
        `feature: expected classes to lead away from, got ${goal.targeted ? 'a class to reach' : `the task ${goal.task}`}`,
      );
    if (run.todo.length === 0) return;
    const target = whiteBoxOf(run);
    const guides = await guidesFor(run);
    const guideOf = new Map<number, Float32Array>();
    const answerer = featureAnswerer(target, goal, batch, options.layer, guideOf, {
      rounding: options.rounding,
    });
    const towardsGuides = {
      ...feature,
      *talk(victim: Parameters<typeof apgdRun>[0]) {
        for (const guide of guides.get(victim.sample)!) {
          guideOf.set(victim.sample, guide);
          const plan = { steps: options.steps, rho: RHO };
          yield* apgdRun(victim, victim.x0.slice(), (x) => victim.gradient(x), plan);
        }
      },
    };
    await runTalks(towardsGuides, run, answerer);
  },
});
