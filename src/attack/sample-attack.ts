import type { Rng } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Goal } from '../threat/goal.ts';
import type { ImageDims } from '../threat/image-dims.ts';
import { type Ball, distance } from '../threat/norm.ts';
import { violationOf } from '../threat/violation.ts';
import { type Answerer, oracleAnswerer, whiteBoxAnswerer } from './answerer.ts';
import { type Attack, type AttackRun, defineAttack } from './attack.ts';
import { drive, type Speaker } from './drive.ts';
import type { Answer, GradientQuestion, Question, Talk } from './question.ts';
import { whiteBoxOf } from './white-box.ts';

/** What the attack of one sample sees and may do. Points are arrays of `size` elements. */
export interface Victim {
  readonly sample: number;
  /** The clean sample; read only. */
  readonly x0: Float32Array;
  readonly size: number;
  readonly sampleDims: readonly number[];
  readonly image: ImageDims | undefined;
  readonly classes: number;
  readonly goal: Goal;
  readonly ball: Ball;
  /** Whether several gradients at a point are best asked for in one question: the model is small enough to be written once for each. */
  readonly together: boolean;
  /** Asks for loss and gradient at a point; a generator: `const { gradient } = yield* victim.gradient(x)`. */
  gradient(point: Float32Array, question?: Partial<Omit<GradientQuestion, 'kind' | 'point'>>): Talk<Answer>;
  /** Asks for the answers at one point, or at `count` points one after another in `points`. */
  answers(points: Float32Array, count?: number, probe?: 'probe'): Talk<Answer>;
  /** A stream of random numbers of this attack on this sample. */
  rng(...keys: readonly (string | number)[]): Rng;
  /** Queries that are left of the budget; infinite without one. */
  left(): number;
  readonly others: OtherSamples;
  /** The best example so far: in a ball the one of least margin, for minimum-norm attacks the nearest that reaches the goal. */
  best(): { readonly x: Float32Array; readonly distance: number; readonly reached: boolean };
}

/**
 * The other clean samples of the run: places to start from. An attack that uses them depends on the data set beside its own sample, so
 * it should do so only where it finds nothing by itself.
 */
export interface OtherSamples {
  readonly count: number;
  /** Clean sample `i`; read only. */
  point(i: number): Float32Array;
  /** What {@link Goal.aim} says of it. */
  aim(i: number): number | undefined;
}

/** Options that {@link defineSampleAttack} reads by itself. */
interface KnownOptions {
  readonly rounding?: 'zero' | 'straight-through';
  /** Most queries for one sample. */
  readonly queries?: number;
}

/** An attack that looks at each sample by itself, written for one sample. */
export interface SampleAttack<Options extends object> extends Omit<Attack<Options>, 'run'> {
  /**
   * The attack on one sample. It only has to ask: every point that it asks about (and does not call a probe) is considered as an example.
   * In a ball (or a threat of its own, where questions say with which parameters their points are made), the first one inside that reaches
   * the goal ends the talk; a minimum-norm attack goes on, and the nearest one counts.
   */
  talk(victim: Victim, options: Options): Talk;
  /** Of a minimum-norm attack that keeps what is least in a measure of its own: how far `x` is from clean sample `sample`. */
  measure?(sample: number, x: Float32Array): number;
}

/**
 * Declares an attack on single samples. All samples' talks run at once in full batches ({@link drive}). Options named `rounding` (what
 * rounding passes on to gradients) and `queries` (a budget for each sample) are heeded here.
 */
export function defineSampleAttack<Options extends object>(attack: SampleAttack<Options>): Attack<Options> {
  const { talk, ...declared } = attack;
  return defineAttack({ ...declared, run: (run) => runTalks(attack, run) });
}

/**
 * Runs a sample attack's talks on the samples of `run`; who answers them may be given, for losses of an attack's own. Errors: those of
 * {@link drive}.
 */
export async function runTalks<Options extends object>(
  attack: SampleAttack<Options>,
  run: AttackRun<Options>,
  answers?: Answerer,
): Promise<void> {
  const { goal, oracle, options, batch, signal } = run;
  const { rounding, queries = Number.POSITIVE_INFINITY } = options as KnownOptions;
  const size = elementCount(oracle.sampleDims);
  const answerer: Answerer =
    answers ??
    (attack.needs === 'gradient'
      ? whiteBoxAnswerer(whiteBoxOf(run), goal, batch, rounding ? { rounding } : {})
      : oracleAnswerer(oracle, run.queries));
  let done = 0;
  let fallen = 0;
  const decided = (sample: number, reached: boolean, asked: number) => {
    done++;
    if (reached) fallen++;
    run.decided?.(sample, reached, asked);
    run.progress({ label: '', done, total: run.todo.length, note: `${fallen} fallen` });
  };
  function* speakers(): Generator<Speaker> {
    for (const sample of run.todo) yield speakerOf(attack, run, sample, size, queries, decided);
  }
  const open = 2 * Math.max(batch, answerer.batch * answerer.parallel);
  await drive(speakers(), { answerer, size, classes: oracle.classes, open, signal });
}

function speakerOf<Options extends object>(
  attack: SampleAttack<Options>,
  run: AttackRun<Options>,
  sample: number,
  size: number,
  budget: number,
  decided: (sample: number, reached: boolean, asked: number) => void,
): Speaker {
  const { goal, ball, oracle } = run;
  const x0 = run.x0.subarray(sample * size, (sample + 1) * size);
  const { constraint } = ball;
  const within: Ball = attack.seeks === 'ball' ? ball : { ...ball, eps: Number.POSITIVE_INFINITY };
  const width = attack.threat?.parameters.length ?? 0;
  const tracker = trackerOf(attack, run, sample, x0);
  const victim: Victim = {
    sample,
    x0,
    size,
    sampleDims: oracle.sampleDims,
    image: run.image,
    classes: oracle.classes,
    goal,
    ball,
    together: run.target?.lanes !== undefined,
    *gradient(point, question = {}) {
      const answer = yield { kind: 'gradient', point, loss: 'goal', ...question };
      if (!constraint?.free) return answer;
      // What may not change takes no part of a step.
      return { ...answer, gradient: answer.gradient.map((g, i) => (constraint.free![i % size] ? g : 0)) };
    },
    *answers(points, count = 1, probe) {
      return yield { kind: 'answers', points, count, probe: probe === 'probe' };
    },
    rng: (...keys) => run.rng(sample, ...keys),
    left: () => budget - speaker.asked,
    others: othersThan(sample, run, size),
    best: tracker.best,
  };
  const speaker: Speaker = {
    sample,
    talk: attack.talk(victim, run.options),
    budget,
    asked: 0,
    prepared(question) {
      if (question.probe || !constraint) return question;
      const moved: Question =
        question.kind === 'gradient'
          ? { ...question, point: question.point.slice() }
          : { ...question, points: question.points.slice(0, question.count * size) };
      for (const point of pointsOf(moved, size)) constraint.project(point, 0, x0, 0, size, within);
      return moved;
    },
    heard(question, { margins, reached }) {
      if (question.probe) return false;
      if (question.kind === 'gradient')
        return tracker.consider(question.point, margins[0]!, reached[0]!, question.parameters);
      let isOver = false;
      for (const [i, point] of pointsOf(question, size).entries()) {
        const parameters = question.parameters?.subarray(i * width, (i + 1) * width);
        isOver = tracker.consider(point, margins[i]!, reached[i]!, parameters) || isOver;
      }
      return isOver;
    },
    judge: (logits, offset) => ({
      margin: goal.margin(sample, logits, offset),
      reached: goal.reached(sample, logits, offset),
    }),
    over() {
      const { x, reached } = tracker.best();
      run.x.set(x, sample * size);
      if (tracker.parameters) run.parameters.set(tracker.parameters, sample * width);
      decided(sample, reached, speaker.asked);
    },
  };
  return speaker;
}

function othersThan(sample: number, { x0, goal }: AttackRun<unknown>, size: number): OtherSamples {
  const at = (i: number) => (i < sample ? i : i + 1);
  return {
    count: x0.length / size - 1,
    point: (i) => x0.subarray(at(i) * size, (at(i) + 1) * size),
    aim: (i) => goal.aim(at(i)),
  };
}

function pointsOf(question: Question, size: number): readonly Float32Array[] {
  if (question.kind === 'gradient') return [question.point];
  if (question.points.length === size) return [question.points];
  return Array.from({ length: question.count }, (_, i) => question.points.subarray(i * size, (i + 1) * size));
}

/** Watches the points of one sample for the best example. */
interface Tracker {
  /** Takes a point into account; `true` when the search is over. */
  consider(point: Float32Array, margin: number, reached: boolean, parameters?: Float32Array): boolean;
  readonly best: Victim['best'];
  /** What the best example is made with, where the threat has parameters. */
  readonly parameters?: Float32Array;
}

function trackerOf<Options extends object>(
  attack: SampleAttack<Options>,
  run: AttackRun<Options>,
  sample: number,
  x0: Float32Array,
): Tracker {
  const { seeks, threat } = attack;
  const { ball } = run;
  if (seeks === 'minimum')
    return nearest(ball, x0, (x) => attack.measure?.(sample, x) ?? distance(ball.norm, x, x0, 0, x0.length));
  if (seeks === 'ball') return leastMargin(ball, x0, (x) => !violationOf(ball, x, x0, 0, x0.length));
  const { options, image } = run;
  const { bounds, constraint } = ball;
  const free: Ball = { ...ball, eps: Number.POSITIVE_INFINITY };
  const shared = run.shared?.values ?? new Float32Array(0);
  const best = new Float32Array(threat!.parameters.length);
  const isInside = (x: Float32Array, parameters: Float32Array = new Float32Array(best.length)) => {
    if (violationOf(free, x, x0, 0, x0.length)) return false;
    // Points are as the attack has made them, but for a constraint, which may move them out of the threat.
    const example = { x, x0, image, bounds, constraint, options, parameters, shared };
    if (constraint && threat!.violation(example)) return false;
    best.set(parameters);
    return true;
  };
  return { ...leastMargin(ball, x0, isInside), parameters: best };
}

/** The point of least margin among those that `isInside` a ball or another threat, and the end with the first that reaches the goal. */
function leastMargin(
  ball: Ball,
  x0: Float32Array,
  isInside: (point: Float32Array, parameters: Float32Array | undefined) => boolean,
): Tracker {
  const x = x0.slice();
  let least = Number.POSITIVE_INFINITY;
  let found = false;
  return {
    consider(point, margin, reached, parameters) {
      if (found || !(reached || margin < least)) return found;
      if (!isInside(point, parameters)) return false;
      least = margin;
      found = reached;
      x.set(point);
      return found;
    },
    best: () => ({ x, distance: distance(ball.norm, x, x0, 0, x0.length), reached: found }),
  };
}

/** Without a ball: the nearest point within bounds and constraint that reaches the goal. */
function nearest(ball: Ball, x0: Float32Array, measure: (x: Float32Array) => number): Tracker {
  const free: Ball = { ...ball, eps: Number.POSITIVE_INFINITY };
  const x = x0.slice();
  let least = Number.POSITIVE_INFINITY;
  return {
    consider(point, _margin, reached) {
      if (!reached) return false;
      const far = measure(point);
      if (!(far < least) || violationOf(free, point, x0, 0, x0.length)) return false;
      least = far;
      x.set(point);
      return false;
    },
    best: () => ({ x, distance: least, reached: least < Number.POSITIVE_INFINITY }),
  };
}
