import { elementCount } from '../../onnx/tensor.ts';
import { type Attack, type AttackRun, defineAttack } from '../attack.ts';
import { costOf, toPlaneAtCost } from '../cost-plane.ts';
import type { ProjectionNorm } from '../hyperplane-projection.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import type { Talk } from '../question.ts';
import { refine } from '../refine.ts';
import { leadsOf, rankedRivals } from '../rivals.ts';
import { runTalks, type SampleAttack, type Victim } from '../sample-attack.ts';
import { type ColumnCosts, columnCosts } from './column-costs.ts';

/** Options of LowProFool. */
export interface LowProFoolOptions {
  readonly steps: number;
  /** How much the cost of a change counts beside the loss. */
  readonly lambd: number;
  /** Length of the first step in standard deviations of a column, for a gradient of 1. */
  readonly eta: number;
  /** What is left of a step's length at the next one. */
  readonly etaDecay: number;
  /** Least length of a step. */
  readonly etaMin: number;
  /** What changes cost: by each column's correlation with the label, or all the same. */
  readonly importance: 'pearson' | 'equal';
  /** Brings the example nearer at the end; the paper does not. */
  readonly refine: boolean;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/** Least weight as a share of the largest, where a step goes to the cheapest columns: what costs nothing would go anywhere. */
const LEAST_WEIGHT = 0.01;
/** The cost of changing a column that is constant. */
const FIXED = 1e100;

/** The talk of one row. */
function* talk(victim: Victim, options: LowProFoolOptions, { spread, weights }: ColumnCosts): Talk {
  const { x0, size, ball } = victim;
  const norm = ball.norm as ProjectionNorm;
  const [low, high] = ball.bounds;
  const [rival] = yield* rankedRivals(victim);
  const lead = leadsOf(victim);
  const x = new Float32Array(size);
  /** The change in standard deviations, and the slope of its cost. */
  const change = new Float32Array(size);
  const slope = new Float32Array(size);
  for (const lambd of [options.lambd, 0]) {
    if (victim.best().reached) break;
    x.set(x0);
    change.fill(0);
    let rate = options.eta;
    for (let step = 0; step < options.steps; step++) {
      const { value, gradient } = yield* lead(x, rival);
      costSlope(norm, weights, change, slope);
      // The slope of −log σ(value), the cross-entropy of rival against label.
      const push = 1 / (1 + Math.exp(value));
      for (let j = 0; j < size; j++) {
        const s = spread[j]!;
        if (!(s > 0)) continue;
        const moved = change[j]! + rate * (push * s * gradient[j]! - lambd * slope[j]!);
        x[j] = Math.min(high, Math.max(low, x0[j]! + s * moved));
        change[j] = (x[j]! - x0[j]!) / s;
      }
      rate = Math.max(rate * options.etaDecay, options.etaMin);
    }
    yield* victim.answers(x);
  }
  if (!options.refine) return;
  const least = LEAST_WEIGHT * weights.reduce((most, w) => Math.max(most, w), 0);
  const costs = weights.map((w, j) => (spread[j]! > 0 ? Math.max(w, least) / spread[j]! : FIXED));
  yield* refine(victim, (normal, gap, step) =>
    toPlaneAtCost(norm, x0, normal, gap, ball.bounds, costs, step),
  );
}

/** The slope of the `norm` of `weights ⊙ change`, written to `out`; 0 where there is no change. */
function costSlope(
  norm: ProjectionNorm,
  weights: Float64Array,
  change: Float32Array,
  out: Float32Array,
): void {
  const total = costOf(norm, weights, change);
  for (const [j, d] of change.entries()) {
    const w = weights[j]!;
    if (total === 0) out[j] = 0;
    else if (norm === 'l2') out[j] = (w * w * d) / total;
    else if (norm === 'l1') out[j] = w * Math.sign(d);
    else out[j] = w * Math.abs(d) === total ? w * Math.sign(d) : 0;
  }
}

/** The attack on the rows of one run, whose columns it has looked at. */
function attackOn(run: AttackRun<LowProFoolOptions>): SampleAttack<LowProFoolOptions> {
  const width = elementCount(run.oracle.sampleDims);
  const { goal, x0, options } = run;
  const known = new Map<number | undefined, ColumnCosts>();
  const costsOf = (sample: number) => {
    const label = goal.aim(sample);
    const costs = known.get(label) ?? columnCosts(run, width, label, options.importance === 'equal');
    known.set(label, costs);
    return costs;
  };
  return {
    ...DECLARED,
    talk: (victim) => talk(victim, options, costsOf(victim.sample)),
    measure(sample, x) {
      const { spread, weights } = costsOf(sample);
      const change = new Float32Array(width);
      for (let j = 0; j < width; j++)
        if (spread[j]! > 0) change[j] = (x[j]! - x0[sample * width + j]!) / spread[j]!;
      return costOf(run.ball.norm as ProjectionNorm, weights, change);
    },
  };
}

const DECLARED = {
  id: 'lowprofool',
  title: 'LowProFool',
  needs: 'gradient',
  seeks: 'minimum',
  norms: ['l2', 'l1', 'linf'],
  source: 'https://arxiv.org/abs/1911.03274',
  use: 'Rows of tables: what an expert would look at changes least. Put what rows must satisfy into `--constraint`.',
  defaults: {
    steps: 100,
    lambd: 1.5,
    eta: 0.2,
    etaDecay: 0.98,
    etaMin: 1e-7,
    importance: 'pearson',
    refine: true,
    rounding: 'zero',
  },
  check(options: LowProFoolOptions) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'lambd', 0, Number.MAX_VALUE, 'or equal');
    numberIn(options, 'eta', 0);
    numberIn(options, 'etaDecay', 0, 1);
    numberIn(options, 'etaMin', 0, Number.MAX_VALUE, 'or equal');
    choiceOf(options, 'importance', ['pearson', 'equal']);
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps }: LowProFoolOptions) => ({ gradients: 2 * steps, evaluations: 3 }),
} as const;

/**
 * LowProFool (Ballet et al. 2019): the least conspicuous change of a table's row. A change costs the more, the more a column says about the
 * label; gradient steps weigh that cost (its l1, l2 or linf norm, as `--norm` says) against the loss, and of all rows that reach
 * the goal the cheapest is kept, though the runner reports its plain distance, as of every attack. Defaults and the scale
 * of the weights (their sum is 1) are those of the Adversarial Robustness Toolbox.
 * Deviations: changes are counted in standard deviations of the run's own rows, so that columns need not be scaled before; constant columns
 * stay; a row that does not fall is tried once more at no cost; of several classes the one that is second at the clean row is sought; at the end {@link refine} goes to where the boundary is
 * cheapest to cross, which on a linear model is exact. Where rows have no classes, all columns cost the same.
 * Of long data sets, each chunk that is held in memory has correlations of its own.
 * Cost: `steps` gradients, twice that for a row that does not fall, three answers, and {@link refine}.
 */
export const lowProFool: Attack<LowProFoolOptions> = defineAttack<LowProFoolOptions>({
  ...DECLARED,
  run: (run) => runTalks(attackOn(run), run),
});
