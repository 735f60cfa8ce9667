import { throwIfCancelled } from '../../core/cancel.ts';
import type { Rng } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Ball } from '../../threat/norm.ts';
import { type Answerer, type Row, whiteBoxAnswerer } from '../answerer.ts';
import { type Attack, type AttackRun, defineAttack } from '../attack.ts';
import { projectOnto, steepest } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { shuffled } from '../shuffled.ts';
import { whiteBoxOf } from '../white-box.ts';
import { deepFool } from './deepfool.ts';

/** Options of universal perturbations. */
export interface UniversalOptions {
  /** `ascent` raises the loss of many samples at once; `deepfool` adds up what each sample needs, as first published. */
  readonly method: 'ascent' | 'deepfool';
  /** Most times that all samples are gone through. */
  readonly passes: number;
  /** Samples whose gradients make one step of the ascent. */
  readonly samplesPerStep: number;
  /** Length of the first step of the ascent as a share of eps; steps shrink to nothing over the passes. */
  readonly relativeStep: number;
  /** Share of the samples that is enough: no pass begins once so many are fooled. */
  readonly enough: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** What is kept of the steps before. */
const MOMENTUM = 0.9;

/** Everything that a search works with. */
interface Search {
  readonly run: AttackRun<UniversalOptions>;
  readonly answerer: Answerer;
  readonly size: number;
  /** Number of clean samples. */
  readonly n: number;
  /** The one perturbation. */
  readonly change: Float32Array;
}

/** Writes sample `i` with the perturbation, within bounds and constraint, to `point`. */
function applied({ run: { x0, ball }, size, change }: Search, i: number, point: Float32Array): Float32Array {
  const [low, high] = ball.bounds;
  for (let k = 0; k < size; k++) point[k] = Math.min(high, Math.max(low, x0[i * size + k]! + change[k]!));
  ball.constraint?.project(point, 0, x0, i * size, size, ball);
  return point;
}

/** Asks about samples with the perturbation, in full batches; `hear` gets their logits and, where wanted, gradients. */
async function ask(
  search: Search,
  samples: readonly number[],
  wants: 'answers' | 'gradients',
  hear: (sample: number, logits: Float32Array, offset: number, gradient: Float32Array | undefined) => void,
): Promise<void> {
  const { run, answerer, size } = search;
  const { classes } = run.oracle;
  for (let from = 0; from < samples.length; from += answerer.batch) {
    throwIfCancelled(run.signal, 'attack');
    const part = samples.slice(from, from + answerer.batch);
    const rows = part.map((sample): Row => {
      const point = applied(search, sample, new Float32Array(size));
      const question =
        wants === 'gradients'
          ? ({ kind: 'gradient', point, loss: 'goal' } as const)
          : ({ kind: 'answers', points: point, count: 1 } as const);
      return { sample, question, index: 0 };
    });
    const { logits, gradients } = await answerer.answer(rows, run.signal);
    for (const [at, sample] of part.entries())
      hear(sample, logits, at * classes, gradients?.subarray(at * size, (at + 1) * size));
  }
}

/** How many samples the perturbation fools. */
async function fooled(search: Search): Promise<number> {
  const { goal } = search.run;
  let count = 0;
  const all = Array.from({ length: search.n }, (_, i) => i);
  await ask(search, all, 'answers', (sample, logits, offset) => {
    if (goal.reached(sample, logits, offset)) count++;
  });
  return count;
}

/** One pass of the ascent: a step along the summed gradients of every few samples that the perturbation does not fool yet. */
async function ascend(
  search: Search,
  momentum: Float64Array,
  lengths: () => number,
  rng: Rng,
): Promise<void> {
  const { run, size, n, change } = search;
  const { goal, options, ball } = run;
  const total = new Float64Array(size);
  const direction = new Float32Array(size);
  const zero = new Float32Array(size);
  const free: Ball = { ...ball, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
  const order = shuffled(n, rng);
  for (let from = 0; from < n; from += options.samplesPerStep) {
    total.fill(0);
    await ask(
      search,
      order.slice(from, from + options.samplesPerStep),
      'gradients',
      (sample, logits, offset, g) => {
        if (goal.reached(sample, logits, offset)) return;
        let length = 0;
        for (const v of g!) length += v * v;
        const scale = length > 0 && length < Number.POSITIVE_INFINITY ? 1 / Math.sqrt(length) : 0;
        if (scale > 0) for (let k = 0; k < size; k++) total[k]! += scale * g![k]!;
      },
    );
    for (let k = 0; k < size; k++) momentum[k] = MOMENTUM * momentum[k]! + total[k]!;
    steepest(ball.norm === 'linf' ? 'linf' : 'l2', Float32Array.from(momentum), direction);
    const length = lengths();
    for (let k = 0; k < size; k++) change[k]! += length * direction[k]!;
    projectOnto(free, change, zero);
  }
}

/** One pass as first published: what takes a sample that is not fooled yet across the nearest boundary is added, then projected. */
async function addUp(search: Search, rng: Rng): Promise<void> {
  const { run, size, n, change } = search;
  const { goal, ball } = run;
  const zero = new Float32Array(size);
  const free: Ball = { ...ball, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
  const starts = run.x0.slice();
  const ends = run.x0.slice();
  for (const sample of shuffled(n, rng)) {
    let isFooled = false;
    await ask(search, [sample], 'answers', (_, logits, offset) => {
      isFooled = goal.reached(sample, logits, offset);
    });
    if (isFooled) continue;
    const [start, end] = [starts, ends].map((rows) => rows.subarray(sample * size, (sample + 1) * size));
    applied(search, sample, start!);
    let isReached = false;
    await deepFool.run({
      ...run,
      x0: starts,
      x: ends,
      todo: [sample],
      options: { ...deepFool.defaults, refine: false, rounding: run.options.rounding },
      progress: () => {},
      decided: (_, reached) => {
        isReached = reached;
      },
    });
    if (!isReached) continue;
    for (let k = 0; k < size; k++) change[k] = end![k]! - run.x0[sample * size + k]!;
    projectOnto(free, change, zero);
  }
}

/** Looks for the perturbation that fools most samples; leaves it in `search.change`. */
async function find(search: Search): Promise<void> {
  const { run, n, size, change } = search;
  const { options, ball, todo } = run;
  const { method, passes, samplesPerStep, relativeStep, enough } = options;
  const steps = passes * Math.ceil(n / samplesPerStep);
  const momentum = new Float64Array(size);
  const best = change.slice();
  let most = -1;
  let step = 0;
  const nextLength = () => relativeStep * ball.eps * (1 - step++ / steps);
  for (let pass = 0; pass < passes; pass++) {
    if (method === 'ascent') await ascend(search, momentum, nextLength, run.rng(0, 'all', pass));
    else await addUp(search, run.rng(0, 'all', pass));
    const count = await fooled(search);
    const note = `pass ${pass + 1} of ${passes}: ${Math.round((100 * count) / n)} % fooled`;
    run.progress({ label: '', done: 0, total: todo.length, note });
    if (count > most) {
      most = count;
      best.set(change);
    }
    if (count >= enough * n) break;
  }
  change.set(best);
}

/** Puts the perturbation on every sample that is to be attacked and decides it. */
async function decide(search: Search, asked: number): Promise<void> {
  const { run, size } = search;
  const { goal, todo, signal } = run;
  let done = 0;
  let fallen = 0;
  await ask(search, todo, 'answers', (sample, logits, offset) => {
    throwIfCancelled(signal, 'attack');
    const reached = goal.reached(sample, logits, offset);
    applied(search, sample, run.x.subarray(sample * size, (sample + 1) * size));
    done++;
    if (reached) fallen++;
    run.decided?.(sample, reached, asked + 1);
    run.progress({ label: '', done, total: todo.length, note: `${fallen} fallen` });
  });
}

/**
 * One perturbation for all samples (Moosavi-Dezfooli et al. 2017), found on the run's own clean samples, also those that are not to be
 * attacked. By default minibatch ascent with momentum and shrinking steps (in the manner of Shafahi et al. 2020): only samples that are
 * not fooled yet count, each by its gradient at unit length, where they cut the loss off. `deepfool` is the first published way, sample
 * by sample, and slow. The perturbation that fooled most at the end of a pass is kept; files of examples hold it as `perturbation`, before
 * the bounds cut it off. Of long data sets each chunk that is held in memory gets a perturbation of its own.
 * Cost: up to `passes` gradients and `passes + 1` answers for each sample; with `deepfool` about ten gradients a pass.
 */
export const universal: Attack<UniversalOptions> = defineAttack({
  id: 'universal',
  title: 'Universal perturbation',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1610.08401',
  use: 'Whether one change works on every sample: the attacker needs no access to the model once it is made, and can print it.',
  defaults: {
    method: 'ascent',
    passes: 20,
    samplesPerStep: 8,
    relativeStep: 0.5,
    enough: 1,
    rounding: 'zero',
  },
  check(options: UniversalOptions) {
    choiceOf(options, 'method', ['ascent', 'deepfool']);
    wholeFrom(options, 'passes', 1);
    wholeFrom(options, 'samplesPerStep', 1);
    numberIn(options, 'relativeStep', 0);
    numberIn(options, 'enough', 0, 1);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ method, passes }) => ({
    gradients: passes * (method === 'ascent' ? 1 : 10),
    evaluations: passes * (method === 'ascent' ? 1 : 3) + 1,
  }),
  shared: ({ sampleDims }) => ({ name: 'perturbation', dims: sampleDims }),
  async run(run) {
    const target = whiteBoxOf(run);
    if (run.todo.length === 0) return;
    const size = elementCount(target.sampleDims);
    const answerer = whiteBoxAnswerer(target, run.goal, run.batch, { rounding: run.options.rounding });
    const change = run.shared?.values ?? new Float32Array(size);
    const search: Search = { run, answerer, size, n: run.x0.length / size, change };
    const before = target.queries.forward;
    if (!run.shared?.isKnown) await find(search);
    await decide(search, Math.round((target.queries.forward - before) / search.n));
  },
});
