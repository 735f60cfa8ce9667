import { throwIfCancelled } from '../../core/cancel.ts';
import type { Goal } from '../../threat/goal.ts';
import { settle } from '../../threat/made-again.ts';
import type { Frame } from '../../threat/picture/frame.ts';
import { type Patch, placed, placedBack } from '../../threat/picture/placement.ts';
import type { Answerer, Row } from '../answerer.ts';
import type { AttackRun } from '../attack.ts';
import { shuffled } from '../shuffled.ts';
import { drawnPlacement, type PatchLimits, placementOf } from './patch-threat.ts';

/** How a patch is looked for. */
export interface PatchSteps {
  /** Times that all samples are gone through. */
  readonly passes: number;
  /** Samples whose gradients make one step. */
  readonly samplesPerStep: number;
  /** Length of the first step as a share of the range; steps shrink to nothing over the passes. */
  readonly relativeStep: number;
  /** How strongly each step evens neighbouring texels out; 0 not at all. Smooth patches survive printing better. */
  readonly smooth: number;
}

/** Everything that a search works with. */
export interface PatchSearch {
  readonly run: AttackRun<PatchLimits & PatchSteps>;
  /** What the patch is to reach, which need not be the run's own goal. */
  readonly goal: Goal;
  readonly answerer: Answerer;
  readonly frame: Frame;
  /** Values of one sample. */
  readonly size: number;
  /** Number of clean samples. */
  readonly n: number;
  /** The one patch; the search writes its texels. */
  readonly patch: Patch;
}

/** A sample, and the parameters of how the patch lies on it. */
export interface Trial {
  readonly sample: number;
  readonly parameters: Float32Array;
}

/** What is kept of the steps before. */
const MOMENTUM = 0.9;
const NONE = new Float32Array(0);

/** The trial's sample with the patch on it, moved onto the run's constraint. */
export function patched(
  { run, frame, size, patch }: PatchSearch,
  { sample, parameters }: Trial,
): Float32Array {
  const x0 = run.x0.subarray(sample * size, (sample + 1) * size);
  const x = new Float32Array(size);
  placed(frame, x0, patch, placementOf(parameters), x);
  settle(x, { x0, bounds: frame.bounds, constraint: run.ball.constraint });
  return x;
}

/**
 * Asks about trials in full batches; `hear` gets each trial's logits and, where wanted, the gradient of the goal's loss, as views of the
 * batch. Errors: `run/cancelled`, and those of the answerer.
 */
export async function askAbout<T extends Trial>(
  search: PatchSearch,
  trials: readonly T[],
  kind: 'answers' | 'gradient',
  hear: (trial: T, logits: Float32Array, offset: number, gradient: Float32Array) => void,
): Promise<void> {
  const { run, answerer, size } = search;
  for (let from = 0; from < trials.length; from += answerer.batch) {
    throwIfCancelled(run.signal, 'attack');
    const part = trials.slice(from, from + answerer.batch);
    const rows = part.map((trial): Row => {
      const point = patched(search, trial);
      const question =
        kind === 'gradient'
          ? ({ kind, point, loss: 'goal' } as const)
          : ({ kind, points: point, count: 1 } as const);
      return { sample: trial.sample, question, index: 0 };
    });
    const { logits, gradients } = await answerer.answer(rows, run.signal);
    for (const [at, trial] of part.entries())
      hear(trial, logits, at * run.oracle.classes, gradients?.subarray(at * size, (at + 1) * size) ?? NONE);
  }
}

/**
 * Looks for the patch from mid-grey: each step goes along the sign of the summed gradients of some samples, each with the patch at a place
 * and in a light of its own and each gradient at unit length, so that a sample that the model is sure of counts as much as others.
 */
export async function findPatch(search: PatchSearch): Promise<void> {
  const { run, goal, frame, n, patch } = search;
  const { passes, samplesPerStep, relativeStep, smooth } = run.options;
  const [low, high] = frame.bounds;
  const { texels } = patch;
  const free = run.ball.constraint?.free;
  const momentum = new Float64Array(texels.length);
  const total = new Float64Array(texels.length);
  const own = new Float32Array(texels.length);
  const steps = passes * Math.ceil(n / samplesPerStep);
  let step = 0;
  texels.fill((low + high) / 2);
  for (let pass = 0; pass < passes; pass++) {
    const rng = run.rng(0, 'pass', pass);
    const order = shuffled(n, rng);
    let reached = 0;
    for (let from = 0; from < n; from += samplesPerStep) {
      total.fill(0);
      const trials = order.slice(from, from + samplesPerStep).map((sample): Trial => {
        return { sample, parameters: drawnPlacement(run.options, frame.image, rng) };
      });
      await askAbout(search, trials, 'gradient', ({ sample, parameters }, logits, offset, gradient) => {
        if (goal.reached(sample, logits, offset)) reached++;
        if (free) for (let i = 0; i < gradient.length; i++) gradient[i]! *= free[i] ? 1 : 0;
        own.fill(0);
        placedBack(frame, patch, placementOf(parameters), gradient, own);
        addAtUnitLength(own, total);
      });
      if (smooth > 0) evenOut(patch, smooth, total);
      const length = relativeStep * (high - low) * (1 - step++ / steps);
      for (let i = 0; i < texels.length; i++) {
        momentum[i] = MOMENTUM * momentum[i]! + total[i]!;
        texels[i] = Math.min(high, Math.max(low, texels[i]! + length * Math.sign(momentum[i]!)));
      }
    }
    const note = `pass ${pass + 1} of ${passes}: ${Math.round((100 * reached) / n)} % reached`;
    run.progress({ label: '', done: 0, total: run.todo.length, note });
  }
}

/** Adds a gradient's direction to `total`; one of zero, or with values that are no numbers, adds nothing. */
function addAtUnitLength(gradient: Float32Array, total: Float64Array): void {
  let squares = 0;
  for (const g of gradient) squares += g * g;
  if (!(squares > 0 && squares < Number.POSITIVE_INFINITY)) return;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < gradient.length; i++) total[i]! += scale * gradient[i]!;
}

/** Takes the slope of the patch's total variation from `total`: `smooth` times the mean size of a gradient for each neighbour. */
function evenOut({ texels, side }: Patch, smooth: number, total: Float64Array): void {
  let sum = 0;
  for (const g of total) sum += Math.abs(g);
  const pull = (smooth * sum) / total.length;
  const draw = (i: number, j: number) => {
    const sign = Math.sign(texels[i]! - texels[j]!);
    total[i]! -= pull * sign;
    total[j]! += pull * sign;
  };
  for (let i = 0; i < texels.length; i++) {
    if ((i + 1) % side !== 0) draw(i, i + 1);
    if (Math.floor(i / side) % side !== side - 1) draw(i, i + side);
  }
}
