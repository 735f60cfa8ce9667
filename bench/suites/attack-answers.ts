import { GlacisError } from '../../src/core/error.ts';
import type { SideFigures } from '../harness.ts';
import { median } from '../median.ts';
import type { Answer } from '../side.ts';
import type { AttackCase } from './attack-cases.ts';

/** Compares the answers. Errors: `data/mismatch` when the two did not attack the same samples. */
export function agreementOf(
  { eps, tolerance }: AttackCase,
  ours: SideFigures,
  peer: SideFigures,
): { readonly text: string; readonly isWorse: boolean } {
  const [own, other] = [answerOf(ours, 'every round the same'), answerOf(peer)];
  if (!(Math.abs(own.clean - other.clean) <= 1e-9))
    throw new GlacisError(
      'data/mismatch',
      `${peer.name}: expected the same clean accuracy, got ${own.clean} against ${other.clean}`,
    );
  const asked = (answer: Answer) =>
    answer.asked === undefined ? '' : ` in ${Math.round(answer.asked)} queries`;
  const bySample = `${asked(own)}, ${peer.name}:`;
  const robust = `robust accuracy ${own.robust.toFixed(3)}${bySample} ${other.robust.toFixed(3)}${asked(other)}`;
  const weaker = (is: boolean) => (is ? '; its answer is the weaker one' : '');
  if (eps !== undefined) {
    const text = robust + weaker(own.robust < other.robust - tolerance);
    return { text, isWorse: !(own.robust <= other.robust + tolerance) };
  }
  const [near, far] = [own.median ?? Number.POSITIVE_INFINITY, other.median ?? Number.POSITIVE_INFINITY];
  const text = `median distance ${near.toFixed(4)} against ${far.toFixed(4)}, ${robust}`;
  const isFar = far === Number.POSITIVE_INFINITY;
  return {
    text: text + weaker(near < far * (1 - tolerance)),
    isWorse: near === Number.POSITIVE_INFINITY || !(isFar || near <= far * (1 + tolerance)),
  };
}

/** What the rounds answered: the median, since peers' draws may differ; ours have to be the same. */
export function answerOf({ name, runs }: SideFigures, strict?: 'every round the same'): Answer {
  const answers = runs.flatMap(({ accuracy }) => (accuracy ? [accuracy] : []));
  const [first] = answers;
  if (!first) throw new GlacisError('data/mismatch', `${name}: expected an accuracy line`);
  const others = answers.filter(
    ({ clean, robust, median: far }) =>
      clean !== first.clean || robust !== first.robust || far !== first.median,
  );
  if (strict && others.length > 0)
    throw new GlacisError(
      'data/mismatch',
      `${name}: expected one answer in every round, got ${JSON.stringify([first, ...others])}`,
    );
  const far = median(answers.map((answer) => answer.median ?? Number.POSITIVE_INFINITY));
  return {
    ...first,
    robust: median(answers.map(({ robust }) => robust)),
    median: Number.isFinite(far) ? far : null,
  };
}
