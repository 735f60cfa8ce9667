import { GlacisError } from '../core/error.ts';
import { silent } from '../core/progress.ts';
import { elementCount } from '../onnx/tensor.ts';
import { fileOracle } from '../runtime/file-oracle.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import { pressing } from '../threat/pressing-goal.ts';
import type { Attack, AttackRun } from './attack.ts';
import { numberIn, wholeFrom } from './option-checks.ts';
import { runTalks, type SampleAttack } from './sample-attack.ts';

/** Options of transfer. */
export interface TransferOptions {
  /** Name of the attack that is run on the surrogate: one that needs gradients and looks inside the ball. */
  readonly attack: string;
  /** Its steps; 0 takes its own default. */
  readonly steps: number;
  /** Length of its steps as a share of eps; 0 takes its own default. */
  readonly relativeStep: number;
}

/** Samples whose examples are made before the target is asked, in batches: what an interruption may cost. */
const BATCHES = 4;

/**
 * Examples made on a surrogate, another model of which everything is visible, and only tried on the target, with one question each (the
 * threat of Papernot et al. 2017 where the surrogate is given). The attack on the surrogate does not stop where the surrogate
 * falls: it presses on for all its steps, because what just crosses one model's boundary seldom crosses another's.
 *
 * `attacks` gives the attacks that may be named. Errors: `option/invalid` for an attack that does not exist, cannot be used or has no such
 * option, without a surrogate, and for one whose samples or outputs are not the target's. Cost: one answer of the target.
 */
export function transferOver(attacks: () => readonly Attack<object>[]): Attack<TransferOptions> {
  const declared = {
    id: 'transfer',
    title: 'Transfer from a surrogate',
    needs: 'labels',
    seeks: 'ball',
    norms: ['linf', 'l2'],
    source: 'https://arxiv.org/abs/1602.02697',
    use: 'What an attacker gains who has a similar model and one question a sample; needs a surrogate.',
    defaults: { attack: 'mi-fgsm', steps: 0, relativeStep: 0 },
    check(options: TransferOptions) {
      wholeFrom(options, 'steps', 0);
      numberIn(options, 'relativeStep', 0, Number.MAX_VALUE, 'or equal');
      plan(attacks(), options);
    },
    cost: () => ({ gradients: 0, evaluations: 1 }),
  } as const;
  return {
    ...declared,
    async run(run) {
      const { x0, todo, batch, oracle, options } = run;
      const { attack, options: own } = plan(attacks(), options);
      const surrogate = surrogateOf(run);
      if (!attack.norms.includes(run.ball.norm))
        throw new GlacisError(
          'option/invalid',
          `transfer: expected an attack in ${run.ball.norm}, got ${attack.id}, which works in ${attack.norms.join(', ')}`,
        );
      const size = elementCount(oracle.sampleDims);
      const made = x0.slice();
      const trial: SampleAttack<TransferOptions> = {
        ...declared,
        *talk({ sample, answers }) {
          yield* answers(made.subarray(sample * size, (sample + 1) * size));
        },
      };
      for (let first = 0; first < todo.length; first += BATCHES * batch) {
        const part = todo.slice(first, first + BATCHES * batch);
        await attack.run({
          ...run,
          target: surrogate,
          surrogate: undefined,
          oracle: fileOracle(surrogate, batch),
          queries: surrogate.queries,
          goal: pressing(run.goal),
          x: made,
          todo: part,
          options: own,
          rng: (sample, ...keys) => run.rng(sample, attack.id, ...keys),
          progress: silent,
          decided: () => {},
        });
        await runTalks(trial, {
          ...run,
          todo: part,
          progress: (update) => run.progress({ ...update, done: first + update.done, total: todo.length }),
        });
      }
    },
  };
}

/** The attack that is named, with its options. */
function plan(attacks: readonly Attack<object>[], { attack: id, steps, relativeStep }: TransferOptions) {
  const usable = attacks.filter((a) => a.needs === 'gradient' && a.seeks === 'ball' && !a.shared);
  const attack = usable.find((a) => a.id === id);
  if (!attack)
    throw new GlacisError(
      'option/invalid',
      `transfer: expected attack to be one of ${usable.map((a) => a.id).join(', ')}, got '${id}'`,
    );
  const options: Record<string, unknown> = { ...attack.defaults };
  for (const [name, value] of Object.entries({ steps, relativeStep })) {
    if (value === 0) continue;
    if (!Object.hasOwn(options, name))
      throw new GlacisError(
        'option/invalid',
        `transfer: expected no ${name} with ${id}, which has no such option, got ${value}`,
      );
    options[name] = value;
  }
  attack.check(options);
  return { attack, options };
}

function surrogateOf({ surrogate, oracle }: AttackRun<unknown>): WhiteBoxTarget {
  if (!surrogate) throw new GlacisError('option/invalid', 'transfer: expected a surrogate model, got none');
  const form = (dims: readonly number[], classes: number) =>
    `samples [${dims.join(', ')}] and ${classes} outputs`;
  const expected = form(oracle.sampleDims, oracle.classes);
  const got = form(surrogate.sampleDims, surrogate.classes);
  if (got !== expected)
    throw new GlacisError('option/invalid', `surrogate: expected ${expected}, as the target has, got ${got}`);
  return surrogate;
}
