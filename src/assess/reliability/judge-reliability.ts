import { apgdAgain } from '../../attack/evasion/apgd-again.ts';
import type { Interviewed } from '../../attack/interview.ts';
import { planned } from '../../attack/registry.ts';
import type { Progress } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import type { Ball, Norm } from '../../threat/norm.ts';
import { runAttack } from '../evasion.ts';
import type { Loaded } from '../load.ts';
import type { CleanRecord } from '../record.ts';
import {
  attackFacts,
  type Fates,
  fatesIn,
  isFallen,
  missedByGradients,
  type RanCell,
  standingIn,
} from './attack-facts.ts';
import { CHECKS } from './checks/registry.ts';
import { type ChosenSamples, chooseSamples } from './chosen-samples.ts';
import type { AttackFacts, ReliabilityFacts } from './facts.ts';
import { gentleGains } from './gentle-gain.ts';
import { gradientPaths } from './gradient-path.ts';
import { localViews } from './local-probe.ts';
import { fallsToNoise } from './noise-probe.ts';
import type { Check, CheckId, Reliability } from './reliability.ts';
import { THRESHOLDS } from './thresholds.ts';
import { isMany } from './wording.ts';

/** Right answers around which is looked; at most as many standing ones are tried with noise, and missed ones attacked again. */
const SAMPLES = 64;
/** Answers over which a gradient is averaged where the model answers at random. */
const AVERAGE = 8;
/** Gradient attacks that try again. */
const AGAIN = { steps: 50, restarts: 1 } as const;

/** How {@link judgeReliability} runs. */
export interface ReliabilityOptions {
  readonly norm: Norm;
  /** The radius to look at, in the input's units. */
  readonly eps: number;
  readonly seed: number;
  /** How far a regression may be off. */
  readonly tolerance: number | undefined;
  /** Whether the attacks led samples to a class. Then what the model shows is judged, and nothing by what the attacks found. */
  readonly led?: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
  /** Milliseconds. */
  readonly now?: (() => number) | undefined;
}

/**
 * How far the figures of an assessment can be trusted at one radius: looks around right answers, climbs from them, tries noise on
 * what stands and gradient attacks on what they missed, and draws the checks from that and from the records of `cells`. Nothing of it
 * counts in the figures. Deterministic by `seed`, for a model that is.
 *
 * Cost at most: 64 × (2 + 440) gradients, 260 more each where the graph has steps (100 × 8 instead of 440 where it is random), 80 where
 * functions saturate, 500 more each for missed samples where those are many, and 64 × 76 answers; of an endpoint only noise, 64 × 32 answers.
 * Errors: those of the runs; `run/cancelled` when `signal` fires.
 */
export async function judgeReliability(
  loaded: Loaded,
  cells: readonly RanCell[],
  { correct }: Pick<CleanRecord, 'correct'>,
  options: ReliabilityOptions,
): Promise<Reliability> {
  const { norm, eps, now = () => performance.now() } = options;
  const { subject, bounds, constraint, task, randomised } = loaded;
  const began = now();
  const before = { ...subject.queries };
  const ball: Ball = { norm, eps, bounds, constraint };
  const fates = fatesIn(cells, correct, ball);
  const right = Array.from(correct, (_, i) => i).filter((i) => correct[i]);
  const near = await chooseSamples(loaded, right.slice(0, SAMPLES), options);
  const facts: ReliabilityFacts = {
    task,
    ball,
    randomised,
    obstacles: subject.target?.obstacles,
    fallen: near.samples.map((i) => isFallen(fates, i)),
    ...(await look(loaded, near, ball, options)),
    noise: norm === 'l0' || options.led ? undefined : await tryNoise(loaded, fates, ball, options),
    attacks: options.led
      ? attackFacts(fates, cells)
      : await lookAgain(loaded, fates, attackFacts(fates, cells), ball, options),
  };
  const checks = CHECKS.map((check) => check(facts)).map((made) => (options.led ? ofTheModel(made) : made));
  return {
    norm,
    eps,
    samples: near.samples.length,
    checks,
    masked: checks.some((check) => check.masking && check.verdict === 'suspicious'),
    queries: subject.queries.forward - before.forward,
    gradientQueries: subject.queries.gradient - before.gradient,
    seconds: (now() - began) / 1000,
  };
}

/** Checks that go by what attacks found; the others look at the model alone. */
const BY_ATTACKS: readonly CheckId[] = ['one-step', 'more-steps', 'noise', 'without-gradients', 'transfer'];

/** The check without a word on attacks that led to a class: what stands one class may fall to any other. */
function ofTheModel(made: Check): Check {
  if (!BY_ATTACKS.includes(made.id)) return made;
  const { id, title, masking } = made;
  const evidence = 'The attacks led samples to a class; this is judged where they lead away from the label.';
  return { id, title, masking, verdict: 'unknown', evidence };
}

/** The model for a talk about `chosen`; random numbers belong to samples of the data set. */
function interviewed(
  { subject: { target, oracle, queries }, batch }: Loaded,
  { goal, samples }: ChosenSamples,
  purpose: string,
  { seed, signal }: ReliabilityOptions,
): Interviewed {
  const rng = (at: number) => randomFrom(seed, 'reliability', purpose, samples[at]!);
  return { target, oracle, queries, goal, batch, rng, signal };
}

const places = ({ samples }: ChosenSamples) => samples.map((_, at) => at);

/** What lies around the samples, and how gradient ascent goes from them; nothing without gradients. */
async function look(
  loaded: Loaded,
  near: ChosenSamples,
  ball: Ball,
  options: ReliabilityOptions,
): Promise<Pick<ReliabilityFacts, 'views' | 'paths' | 'eased' | 'gentle'>> {
  const { target } = loaded.subject;
  if (!target) return { views: undefined, paths: undefined, eased: undefined, gentle: undefined };
  const { stepped, random, saturating } = target.obstacles;
  options.progress({ label: 'reliability: around right answers', done: 0 });
  const views = await localViews(interviewed(loaded, near, 'around', options), places(near), near.x, ball);
  options.progress({ label: 'reliability: as eps grows', done: 0 });
  const average = random.length > 0 || loaded.randomised ? AVERAGE : 1;
  const climber = interviewed(loaded, near, 'climb', options);
  const climb = (rounding: 'zero' | 'straight-through') =>
    gradientPaths({ ...climber, rounding }, places(near), near.x, ball, average);
  const paths = await climb('zero');
  const eased = stepped.length > 0 ? await climb('straight-through') : undefined;
  const isOfUse = saturating.length > 0 && average === 1 && ball.norm !== 'l0';
  const stood = places(near).filter((at) => paths[at]!.steps === undefined);
  const gentle = isOfUse
    ? await gentleGains(interviewed(loaded, near, 'gently', options), stood, near.x, ball)
    : undefined;
  return { views, paths, eased, gentle };
}

/** Random points around what gradient attacks left standing. */
async function tryNoise(
  loaded: Loaded,
  fates: Fates,
  ball: Ball,
  options: ReliabilityOptions,
): Promise<ReliabilityFacts['noise']> {
  options.progress({ label: 'reliability: noise', done: 0 });
  const chosen = await chooseSamples(loaded, standingIn(fates).slice(0, SAMPLES), options);
  const fell = await fallsToNoise(
    interviewed(loaded, chosen, 'noise', options),
    places(chosen),
    chosen.x,
    ball,
  );
  return {
    tried: fell.length,
    fell: fell.filter(Boolean).length,
    afterGradients: fates.fell.gradient !== undefined,
  };
}

/** Where attacks without gradients found much more: gradient attacks again, on what they missed. */
async function lookAgain(
  loaded: Loaded,
  fates: Fates,
  attacks: AttackFacts,
  ball: Ball,
  options: ReliabilityOptions,
): Promise<AttackFacts> {
  const { seed, signal, progress } = options;
  const canTry = loaded.subject.target && loaded.task === 'classification' && ball.norm !== 'l0';
  if (!canTry || !isMany(attacks.missed, attacks.right, THRESHOLDS.missed)) return attacks;
  const chosen = await chooseSamples(loaded, missedByGradients(fates).slice(0, SAMPLES), options);
  const n = chosen.samples.length;
  const { success } = await runAttack(
    loaded.subject,
    planned(apgdAgain, AGAIN),
    chosen.goal,
    ball,
    chosen.x,
    { reached: new Uint8Array(n) },
    {
      seed,
      batch: loaded.batch,
      firstSample: 0,
      signal,
      progress: (update) => progress({ ...update, label: 'reliability: gradient attacks again' }),
    },
  );
  return { ...attacks, again: { tried: n, missed: n - success.reduce((sum, one) => sum + one, 0) } };
}
