import { type ApgdAgainOptions, apgdAgain } from '../../attack/evasion/apgd-again.ts';
import { planned } from '../../attack/registry.ts';
import type { Goal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { type Outcome, type RunOptions, runAttack } from '../evasion.ts';
import type { Subject } from '../subject.ts';

/** What Square Attack adds to the gradient attacks of AutoAttack. */
export interface SquareShare {
  /** Samples, right or wrong before. */
  readonly n: number;
  /** Samples that Square broke and no stage before it. */
  readonly only: readonly number[];
  /** Samples that stand after all stages. */
  readonly standing: readonly number[];
}

/** By how much of all samples Square has to do better than the gradient attacks to be noticed, as in AutoAttack's own check. */
const NOTICED = 0.002;

/** Reads off AutoAttack's outcome what Square alone broke. `correct` is 1 where the model was right before; `parts` are the attack's. */
export function squareShare(
  parts: readonly string[],
  correct: Uint8Array,
  { success, by }: Pick<Outcome, 'success' | 'by'>,
): SquareShare {
  const right = Array.from(correct, (_, i) => i).filter((i) => correct[i]);
  return {
    n: correct.length,
    only: right.filter((i) => success[i] && parts[by[i]! - 1] === 'square'),
    standing: right.filter((i) => !success[i]),
  };
}

/** Whether so many samples of `n` count as a sign that gradients mislead. */
export function isNoticed(samples: number, n: number): boolean {
  return samples / n > NOTICED;
}

/** What the gradient attacks found when they tried again, harder. */
export interface WhiteBoxAgain {
  /** Samples that they still miss, of those that only Square broke. */
  readonly missed: readonly number[];
  /** Samples that stood before and have now fallen. */
  readonly more: readonly number[];
  /** The verified run, over all samples; only those in question were attacked. */
  readonly outcome: Outcome;
}

/**
 * Runs the gradient attacks again with more restarts ({@link apgdAgain}) on the samples that only Square broke and on those that stand.
 * An interrupted run's samples count as missed: ask `outcome.complete`. Cost: see there. Errors: those of `runAttack`.
 */
export async function whiteBoxAgain(
  subject: Subject,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  { n, only, standing }: SquareShare,
  options: RunOptions,
  given: Partial<ApgdAgainOptions> = {},
): Promise<WhiteBoxAgain> {
  // What is not in question counts as wrong before: such samples are left alone.
  const reached = new Uint8Array(n).fill(1);
  for (const sample of [...only, ...standing]) reached[sample] = 0;
  const outcome = await runAttack(subject, planned(apgdAgain, given), goal, ball, x0, { reached }, options);
  return {
    missed: only.filter((sample) => !outcome.success[sample]),
    more: standing.filter((sample) => outcome.success[sample]),
    outcome,
  };
}
