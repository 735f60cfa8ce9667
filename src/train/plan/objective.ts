import { GlacisError } from '../../core/error.ts';
import { parseSpecs } from '../../core/options.ts';
import { free } from '../objective/free.ts';
import type { TrainingConstraint } from '../objective/inner-attack.ts';
import { madry } from '../objective/madry.ts';
import { mart } from '../objective/mart.ts';
import type { Objective } from '../objective/objective.ts';
import { plain } from '../objective/plain.ts';
import type { TrainingThreat } from '../objective/threat.ts';
import { trades } from '../objective/trades.ts';
import { withWeightPerturbation } from '../objective/weight-perturbation.ts';
import { chosenBy } from './one-spec.ts';

const THREAT = { eps: undefined, ramp: 0 } as const;
const ITERATED = { ...THREAT, steps: 10, stepSize: undefined } as const;

/** What can be trained against, by name, with default options. `eps` and `stepSize` are in input units. */
export const OBJECTIVES = {
  awp: { gamma: 0.005 },
  fast: { ...THREAT, stepSize: undefined },
  free: { ...THREAT, replays: 4, stepSize: undefined },
  mart: { ...ITERATED, lambda: 5 },
  pgd: ITERATED,
  plain: {},
  trades: { ...ITERATED, beta: 6 },
} as const;

/** Share of the range that may change unless eps is given. */
const USUAL_SHARE = 8 / 255;
/** Steps of the attack that validation measures with. */
const PROBE_STEPS = 10;

/** An objective with what belongs to it. */
export interface PlannedObjective {
  readonly objective: Objective;
  /** Steps on each batch. */
  readonly replays: number;
  /** What validation attacks with; absent for training on samples as they are. */
  readonly threat?: TrainingThreat;
  /** What training goes on with after catastrophic overfitting: PGD in the same ball. */
  readonly fallBack?: Objective;
}

/** What an attack in training may do beside what its text says. */
export interface ThreatFrame {
  readonly norm: 'linf' | 'l2';
  readonly bounds: readonly [number, number];
  /** Whether {@link bounds} are a known range, of which 8/255 is a usual eps for pictures. */
  readonly isRanged: boolean;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** What attacked samples must satisfy. */
  readonly constraint?: TrainingConstraint | undefined;
}

/** Reads `trades(eps=0.3, beta=6), awp`. Errors: `option/unknown`, `option/invalid`. */
export function planObjective(text: string | undefined, frame: ThreatFrame): PlannedObjective {
  if (text === undefined) {
    if (frame.constraint)
      throw new GlacisError(
        'option/invalid',
        'constraint: expected something to train against under it, such as pgd(eps=1, steps=10), got nothing',
      );
    return { objective: plain(), replays: 1 };
  }
  const chosen = parseSpecs(text).map((spec) => chosenBy(spec, OBJECTIVES, 'against'));
  const perturbed = chosen.filter(({ name }) => name === 'awp');
  const [main, ...more] = chosen.filter(({ name }) => name !== 'awp');
  if (more.length > 0 || perturbed.length > 1)
    throw new GlacisError(
      'option/invalid',
      `against: expected one objective, and awp beside it where wanted, got ${chosen.map(({ name }) => name).join(', ')}`,
    );
  const planned = main
    ? mainObjective(main.name, main.options as Numbers, frame)
    : planObjective(undefined, frame);
  const [awp] = perturbed;
  if (!awp) return planned;
  return { ...planned, objective: withWeightPerturbation(planned.objective, awp.options.gamma as number) };
}

type Numbers = Readonly<Record<string, number | undefined>>;

function mainObjective(name: string, options: Numbers, frame: ThreatFrame): PlannedObjective {
  if (name === 'plain') return { objective: plain(), replays: 1 };
  const { norm, bounds, constraint } = frame;
  const attacking = (how: TrainingThreat) => madry(how, constraint);
  const { stepSize, ramp = 0 } = options;
  const eps = options.eps ?? usualEps(frame);
  const ball = { norm, eps, bounds, ramp };
  const share = stepSize === undefined ? {} : { stepShare: stepSize / eps };
  const threat: TrainingThreat = { ...ball, steps: options.steps ?? 1, ...share };
  const planned = {
    replays: 1,
    threat: { norm, eps, bounds, steps: PROBE_STEPS },
    fallBack: attacking({ norm, eps, bounds, steps: PROBE_STEPS }),
  };
  switch (name) {
    case 'fast':
      return { ...planned, objective: attacking({ ...threat, stepShare: threat.stepShare ?? 1.25 }) };
    case 'free':
      return { ...planned, objective: free({ ...ball, ...share }, constraint), replays: options.replays! };
    case 'mart':
      return { ...planned, objective: mart(threat, options.lambda, constraint) };
    case 'trades':
      return { ...planned, objective: trades(threat, options.beta, constraint) };
    default:
      return { ...planned, objective: attacking(threat) };
  }
}

/** 8/255 of the range, for pictures and Linf. Errors: `option/invalid` for all else, where no radius is usual; `where` begins the message. */
export function usualEps({ bounds, isRanged, norm, shape }: ThreatFrame, where = 'against'): number {
  if (!isRanged || norm !== 'linf' || shape.length !== 3)
    throw new GlacisError(
      'option/invalid',
      `${where}: expected eps, in the input's units, got none; 8/255 of the range is usual for linf on pictures only`,
    );
  return USUAL_SHARE * (bounds[1] - bounds[0]);
}

/** Passes of a step on one batch through the network and back. */
export interface Price {
  /** For gradients with respect to the samples: the inner attack. */
  readonly attack: number;
  /** For gradients with respect to the weights. */
  readonly weights: number;
}

/** What a step against `text` costs. Errors: `option/unknown`, `option/invalid`. */
export function priceOf(text: string): Price {
  const chosen = parseSpecs(text).map((spec) => chosenBy(spec, OBJECTIVES, 'against'));
  const main = chosen.find(({ name }) => name !== 'awp');
  const isPerturbed = chosen.some(({ name }) => name === 'awp');
  const { steps = 1, replays = 1 } = (main?.options ?? {}) as Numbers;
  const both = main?.name === 'trades' || main?.name === 'mart';
  const isAttacked = main && main.name !== 'plain' && main.name !== 'free';
  const weights = replays * (both ? 2 : 1) * (isPerturbed ? 2 : 1);
  return { attack: isAttacked ? steps : 0, weights };
}
