import type { Engine } from '../../src/runtime/engine.ts';
import type { Ball } from '../../src/threat/norm.ts';
import type { Base } from './bases.ts';
import type { Defence } from './defence.ts';
import { attackTrial, openTrial, type Trial } from './trial.ts';

/** Gradient attacks of somebody who knows nothing of a defence. */
const UNAWARE = 'pgd, apgd-ce(steps=50)';
/** Attacks on the model itself of somebody who knows. */
const AWARE = 'square(queries=1000)';
const THROUGH_ROUNDING = 'pgd(rounding=straight-through), apgd-ce(rounding=straight-through, steps=50)';
const OVER_DRAWS = 'eot-pgd(average=10, steps=20)';
/** Examples made on the model without its defence, or with a smooth one in its place. */
const FROM_ANOTHER = 'transfer(attack=pgd), transfer(attack=mi-fgsm)';

/** Overestimates of the robust accuracy from here on count as hiding. */
export const HIDES = 0.05;

/** What a defence does to accuracies at one radius; shares of all samples. */
export interface Hiding {
  readonly clean: number;
  /** Robust accuracy as attacked without knowing of the defence. */
  readonly unaware: number;
  /** Robust accuracy as attacked with knowledge of it; the attacks above count, too. */
  readonly aware: number;
  /**
   * The defence hides something: attacked without knowing, the model seems more robust than it is by {@link HIDES} or more. A layer that
   * bends the gradient without leading attacks astray, such as a steep sigmoid that costs them one sample in a hundred, does not.
   */
  readonly hides: boolean;
}

/** Measures what `defence` hides on `base`'s samples in Linf, without any check. Cost: thousands of runs of the model a sample. */
export async function measureHiding(
  engine: Engine,
  { apply, eased }: Pick<Defence, 'apply' | 'eased'>,
  base: Base,
  eps: number,
): Promise<Hiding> {
  const ball: Ball = { norm: 'linf', eps, bounds: [0, 1] };
  const trial = await openTrial(engine, apply(base.model), base);
  const others: Trial[] = [];
  try {
    const right = Array.from(trial.correct, (_, i) => i).filter((i) => trial.correct[i]);
    const standing = new Set(right);
    const strike = async (attacks: string, other?: Trial) => {
      for (const { record } of await attackTrial(trial, attacks, ball, other))
        for (const i of right) if (record.success[i]) standing.delete(i);
      return standing.size / base.labels.length;
    };
    const unaware = await strike(UNAWARE);
    const { stepped, random } = trial.loaded.subject.target!.obstacles;
    await strike(AWARE);
    if (stepped.length > 0) await strike(THROUGH_ROUNDING);
    if (random.length > 0) await strike(OVER_DRAWS);
    for (const model of [base.model, ...(eased ? [eased(base.model)] : [])]) {
      const other = await openTrial(engine, model, base);
      others.push(other);
      await strike(FROM_ANOTHER, other);
    }
    const aware = standing.size / base.labels.length;
    // Counts of samples: no rounding may decide.
    return {
      clean: right.length / base.labels.length,
      unaware,
      aware,
      hides: Math.round((unaware - aware) * base.labels.length) >= HIDES * base.labels.length,
    };
  } finally {
    for (const each of [trial, ...others]) await each.close();
  }
}
