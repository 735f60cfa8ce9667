import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { classificationGoal, type Goal } from '../../threat/goal.ts';
import { frameOf, lightChannels } from '../../threat/picture/frame.ts';
import { whiteBoxAnswerer } from '../answerer.ts';
import { type Attack, type AttackRun, defineAttack } from '../attack.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { pictureOf } from '../picture-of.ts';
import { whiteBoxOf } from '../white-box.ts';
import { askAbout, findPatch, type PatchSearch, type PatchSteps, patched } from './patch-search.ts';
import { drawnPlacement, type PatchLimits, patchThreat, texelsAlong } from './patch-threat.ts';

/** Options of the adversarial patch. */
export interface PatchOptions extends PatchLimits, PatchSteps {
  /** The class that pictures with the patch are to be taken for; −1 for any that is wrong. */
  readonly target: number;
  /** Placements that the finished patch is tried at on each sample. */
  readonly draws: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** What the patch is to reach: the run's goal, or a class of its own. Errors: `option/invalid`. */
function goalFor({ goal, oracle, options: { target } }: AttackRun<PatchOptions>, n: number): Goal {
  if (target < 0) return goal;
  if (goal.task !== 'classification' || target >= oracle.classes)
    throw new GlacisError(
      'option/invalid',
      `patch: expected target to be a class of the model, got ${target}, and ${goal.task === 'classification' ? `${oracle.classes} classes` : `a model for ${goal.task}`}`,
    );
  const targets = new Int32Array(n).fill(target);
  return classificationGoal(targets, oracle.classes, targets);
}

/** Tries the patch on every sample that is to be attacked. The first placement of each makes its example. */
async function decide(search: PatchSearch, draws: number, asked: number): Promise<void> {
  const { run, goal, frame, size } = search;
  const { todo } = run;
  let done = 0;
  let fallen = 0;
  const together = Math.max(1, Math.floor(search.answerer.batch / draws));
  for (let from = 0; from < todo.length; from += together) {
    const samples = todo.slice(from, from + together);
    const trials = samples.flatMap((sample) => {
      const rng = run.rng(sample, 'placements');
      return Array.from({ length: draws }, (_, draw) => {
        return { sample, draw, parameters: drawnPlacement(run.options, frame.image, rng) };
      });
    });
    const reached = new Map(samples.map((sample) => [sample, new Uint8Array(draws)]));
    await askAbout(search, trials, 'answers', ({ sample, draw }, logits, offset) => {
      if (goal.reached(sample, logits, offset)) reached.get(sample)![draw] = 1;
    });
    for (const [i, sample] of samples.entries()) {
      throwIfCancelled(run.signal, 'attack');
      const first = trials[i * draws]!;
      const hits = reached.get(sample)!;
      first.parameters[first.parameters.length - 1] = hits.reduce((sum, hit) => sum + hit, 0) / draws;
      run.parameters.set(first.parameters, sample * first.parameters.length);
      run.x.set(patched(search, first), sample * size);
      done++;
      fallen += hits[0]!;
      run.decided?.(sample, hits[0] === 1, asked + draws);
      run.progress({ label: '', done, total: todo.length, note: `${fallen} fallen` });
    }
  }
}

/**
 * The adversarial patch (Brown et al. 2017): one patch for all samples, found over random placements (expectation over transformation,
 * Athalye et al. 2018: where it lies, how large, at which angle, in which light) on the run's own clean samples, also those that are not to be
 * attacked. Sign steps with momentum that shrink to nothing, each gradient at unit length; transparency is never touched.
 * An example is a sample with the patch at **one random placement**, not at the worst one, so the share that falls estimates how often the
 * patch works; the example's parameter `share` says at how many of `draws` placements it reached its goal. Files of examples hold the texels
 * as `patch`. With `target` the patch looks for that class, and `share` counts it; a verdict still asks for any wrong answer.
 * Deviations: light is part of the placement, the edge is smooth over one pixel, the patch has no more texels than pixels.
 * Of long data sets each chunk that is held in memory gets a patch of its own.
 * Errors: `model/unsupported-task` where samples are no pictures, `option/invalid` where their range is open or the target is no class.
 * Cost: `passes` gradients and `draws` answers for each sample.
 */
export const patch: Attack<PatchOptions> = defineAttack<PatchOptions>({
  id: 'patch',
  title: 'Adversarial patch',
  needs: 'gradient',
  seeks: 'other',
  norms: [],
  threat: patchThreat,
  source: 'https://arxiv.org/abs/1712.09665',
  use: 'A sticker in front of the camera: one patch for every picture, found over place, size, angle and light; `--patch FILE.png` writes it for printing.',
  defaults: {
    shape: 'circle',
    size: 0.4,
    smallest: 0.75,
    rotation: 20,
    brightness: 0.1,
    contrast: 0.1,
    target: -1,
    passes: 40,
    samplesPerStep: 16,
    relativeStep: 0.1,
    smooth: 0,
    draws: 10,
    rounding: 'zero',
  },
  check(options: PatchOptions) {
    choiceOf(options, 'shape', ['circle', 'square']);
    numberIn(options, 'size', 0, 1);
    numberIn(options, 'smallest', 0, 1);
    numberIn(options, 'rotation', 0, 180, 'or equal');
    numberIn(options, 'brightness', 0, 1, 'or equal');
    numberIn(options, 'contrast', 0, 1, 'or equal');
    wholeFrom(options, 'target', -1);
    wholeFrom(options, 'passes', 1);
    wholeFrom(options, 'samplesPerStep', 1);
    numberIn(options, 'relativeStep', 0);
    numberIn(options, 'smooth', 0, Number.MAX_VALUE, 'or equal');
    wholeFrom(options, 'draws', 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ passes, draws }) => ({ gradients: passes, evaluations: draws }),
  shared(form, options) {
    const image = pictureOf(form, 'patch');
    const side = texelsAlong(image, options);
    return { name: 'patch', dims: [lightChannels(image), side, side] };
  },
  async run(run) {
    const target = whiteBoxOf(run);
    if (run.todo.length === 0) return;
    const { options, image } = run;
    const { sampleDims } = target;
    const frame = frameOf(pictureOf({ image, sampleDims }, 'patch'), run.ball.bounds, 'patch');
    const size = elementCount(sampleDims);
    const n = run.x0.length / size;
    const goal = goalFor(run, n);
    const side = texelsAlong(frame.image, options);
    const texels = run.shared?.values ?? new Float32Array(lightChannels(frame.image) * side * side);
    const search: PatchSearch = {
      run,
      goal,
      answerer: whiteBoxAnswerer(target, goal, run.batch, { rounding: options.rounding }),
      frame,
      size,
      n,
      patch: { texels, side, shape: options.shape },
    };
    const before = target.queries.forward;
    if (!run.shared?.isKnown) await findPatch(search);
    await decide(search, options.draws, Math.round((target.queries.forward - before) / n));
  },
});
