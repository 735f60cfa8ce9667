import type { Assessment, EvasionResult, TowardsSummary, WorstCase } from '../assess/result.ts';
import { towardsInWords } from '../assess/towards.ts';
import { budgetInWords, count, interval, NORM_NAMES, percent, radius } from './format.ts';

/** How much of what the model knew survived; `unknown` where nothing can be said. */
export type VerdictLevel = 'held' | 'weakened' | 'gave way' | 'fell' | 'unknown';

/** An assessment in plain words. */
export interface Verdict {
  readonly level: VerdictLevel;
  /** The one sentence to remember. */
  readonly headline: string;
  /** What stands behind it, a sentence each. */
  readonly details: readonly string[];
  /** The budget that the verdict speaks about: the largest one of the first norm. */
  readonly worst?: WorstCase;
}

/**
 * The worst case of every budget, by norm in the order of the results, then by eps. Where the runner did not get to
 * join the attacks, the strongest attack stands in: the true worst case can only be lower.
 */
export function worstCases(assessment: Assessment): readonly WorstCase[] {
  const joined = new Map(assessment.worstCases.map((each) => [`${each.norm} ${each.eps}`, each]));
  for (const result of assessment.results) {
    const key = `${result.norm} ${result.eps}`;
    const strongest = strongestAt(assessment, result.norm, result.eps);
    const known = joined.get(key);
    // Sound because the worst case cannot be better than an attack: a result that says so is not believed.
    const believed =
      known && !(strongest && strongest.n === known.n && strongest.robustAccuracy < known.robustAccuracy);
    if (!believed && strongest) joined.set(key, standIn(strongest));
  }
  const norms = [...new Set([...assessment.results, ...assessment.worstCases].map((each) => each.norm))];
  return [...joined.values()].sort((a, b) => norms.indexOf(a.norm) - norms.indexOf(b.norm) || a.eps - b.eps);
}

/** One attack's result in the place of a worst case. */
function standIn({
  attack,
  norm,
  eps,
  n,
  cleanAccuracy,
  robustAccuracy,
  confidence,
}: EvasionResult): WorstCase {
  return { norm, eps, n, attacks: [attack], cleanAccuracy, robustAccuracy, confidence };
}

/** The attack that left the fewest answers right at one budget; the first of equals. */
export function strongestAt(assessment: Assessment, norm: string, eps: number): EvasionResult | undefined {
  return assessment.results
    .filter((each) => each.norm === norm && each.eps === eps)
    .reduce<EvasionResult | undefined>(
      (a, b) => (a === undefined || b.robustAccuracy < a.robustAccuracy ? b : a),
      undefined,
    );
}

/** Samples answered rightly before and under attack; whole numbers again, as accuracies are fractions of `n`. */
export function rightAnswers(result: { n: number; cleanAccuracy: number; robustAccuracy: number }) {
  const before = Math.round(result.cleanAccuracy * result.n);
  const after = Math.round(result.robustAccuracy * result.n);
  return { before, after, changed: before - after, wrong: result.n - before };
}

/** The level of a worst case; an unfinished assessment can show that a model fell, but not that it held. */
function levelOf(worst: WorstCase, finished: boolean, attacked: number | undefined): VerdictLevel {
  const { before, changed } = rightAnswers(worst);
  const concerned = attacked ?? before;
  if (concerned === 0) return 'unknown';
  const kept = 1 - changed / concerned;
  if (kept >= 0.9) return finished ? 'held' : 'unknown';
  if (kept >= 0.5) return 'weakened';
  if (kept >= 0.1) return 'gave way';
  return kept >= 0 ? 'fell' : 'unknown';
}

/** What an assessment says, in plain words. */
export function verdictOf(assessment: Assessment): Verdict {
  const all = worstCases(assessment);
  const worst = all.findLast((each) => each.norm === all[0]?.norm);
  if (!worst) {
    return { level: 'unknown', headline: 'No attack was finished, so nothing is known.', details: [] };
  }
  const { before, after, changed } = rightAnswers(worst);
  const budget = `eps ${radius(worst.eps)} (${NORM_NAMES[worst.norm]})`;
  const of = `${count(worst.n)} answer${worst.n === 1 ? '' : 's'}`;
  const { towards } = assessment;
  const headline =
    towards && before > 0
      ? ledHeadline(towards, budget, changed)
      : before === 0
        ? `The model gives no right answer even without an attack, out of ${count(worst.n)}.`
        : after === 0
          ? `At ${budget} the model keeps none of ${of}.`
          : `At ${budget} the model keeps ${percent(worst.robustAccuracy)} of ${of}.`;
  const details = [changedSentence(assessment, worst, before, changed)];
  if (towards)
    details.push(
      'Only the target counts as an answer that was changed: the figures do not say how often another wrong answer can be had, which is easier.',
    );
  details.push(`The budget means that ${budgetInWords(worst.norm, worst.eps)}.`);
  details.push(
    `With 95 % confidence these attacks leave ${interval(worst.confidence)} right on data of this kind.`.replace(
      '95 %',
      '95\u00a0%',
    ),
  );
  for (const norm of new Set(all.map((each) => each.norm))) {
    const other = norm === worst.norm ? undefined : all.findLast((each) => each.norm === norm);
    if (other)
      details.push(
        `At eps ${radius(other.eps)} (${NORM_NAMES[norm]}) it keeps ${percent(other.robustAccuracy)}.`,
      );
  }
  if (before > 0 && worst.cleanAccuracy < 0.5) {
    details.push(
      `Already without an attack only ${percent(worst.cleanAccuracy)} are right, so robustness says little here.`,
    );
  }
  if (worst.n < 100)
    details.push(`Only ${count(worst.n)} samples were attacked: take the figures as a first look.`);
  return {
    level: levelOf(worst, assessment.status === 'complete', towards?.attacked),
    headline,
    details,
    worst,
  };
}

/** What targeted attacks could do. */
function ledHeadline({ choice, attacked }: TowardsSummary, budget: string, changed: number): string {
  const led = changed === 0 ? 'none' : changed === attacked ? 'all' : percent(changed / attacked);
  return `At ${budget} ${led} of ${count(attacked)} sample${attacked === 1 ? '' : 's'} can be led to ${towardsInWords(choice)}.`;
}

function changedSentence(assessment: Assessment, worst: WorstCase, before: number, changed: number): string {
  const start = `Before the attack ${before === 0 ? 'none' : before === worst.n && before > 1 ? 'all' : count(before)} of them ${before === 1 ? 'was' : 'were'} right`;
  const strongest = strongestAt(assessment, worst.norm, worst.eps);
  const attacks = worst.attacks.length;
  if (changed === 0)
    return `${start}; ${attacks === 1 ? 'the attack' : `none of the ${attacks} attacks`} changed ${attacks === 1 ? 'none' : 'any'} of these.`;
  if (!strongest || attacks <= 1)
    return `${start}; the attack${strongest ? ` (${strongest.attack})` : ''} changed ${count(changed)} of these.`;
  const alone = rightAnswers(strongest).changed;
  const together =
    alone === changed ? '' : `, ${attacks === 2 ? 'both' : `all ${attacks}`} together ${count(changed)}`;
  return `${start}; the strongest of ${attacks} attacks (${strongest.attack}) changed ${count(alone)} of these${together}.`;
}
