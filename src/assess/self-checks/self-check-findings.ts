import type { Task } from '../../threat/goal.ts';
import type { Finding } from '../result.ts';
import type { RepeatedAnswers } from './repeated-answers.ts';
import { isNoticed, type SquareShare, type WhiteBoxAgain } from './square-share.ts';
import type { StartGradients } from './start-gradients.ts';

const EVASION = { atlas: ['AML.T0043', 'AML.T0015'], owasp: ['ML01:2023'], nist: ['NISTAML.022'] } as const;
const NONE = { atlas: [], owasp: [], nist: [] } as const;

/** By how much two runs' outputs may differ, each at length 1; AutoAttack's own threshold. */
const SAME = 1e-4;

/** Samples that gradient attacks must miss for a verdict: what they do with one or two depends on the seed. */
const LEAST_MISSED = 3;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The model answers at random: other labels right, or outputs that differ by more than rounding. */
export function randomisedModel({ samples, correct, difference }: RepeatedAnswers): readonly Finding[] {
  const counts = [...new Set(correct)];
  if (counts.length < 2 && difference <= SAME) return [];
  const signs = [
    ...(counts.length > 1
      ? [`the number of right answers lay between ${Math.min(...counts)} and ${Math.max(...counts)}`]
      : []),
    ...(difference > SAME ? [`outputs differed by up to ${percent(difference)} of their length`] : []),
  ];
  return [
    {
      id: 'evasion/randomised-model',
      title: 'The model answers differently each time',
      severity: 'medium',
      taxonomy: EVASION,
      evidence: `In ${correct.length} runs of the file on the same ${samples} samples ${signs.join(', and ')}.`,
      remedy:
        'Robust accuracies of single runs are too high here: an attacker may try again or average. Assess with autoattack(version=rand), which averages gradients, and with the randomness switched off.',
    },
  ];
}

/** The outputs look like probabilities, though no softmax was found at the end that an attack could leave out. */
export function probabilityOutputs(facts: {
  /** Every row of outputs is a probability distribution, see `areProbabilities`. */
  readonly areProbabilities: boolean;
  /** A final activation was found and left out for the attack. */
  readonly isStripped: boolean;
}): readonly Finding[] {
  if (!facts.areProbabilities || facts.isStripped) return [];
  return [
    {
      id: 'evasion/probability-outputs',
      title: 'The outputs are probabilities, so that gradients may vanish',
      severity: 'low',
      taxonomy: EVASION,
      evidence:
        'Every output lies between 0 and 1 and each row sums to 1, but no softmax was found at the end of the graph that the attacks could leave out.',
      remedy:
        'Assess a file that gives logits, or one whose last operator is the softmax: attacks go around it then. Where the model is sure, the gradient through a softmax is zero in float32, and the figures of gradient attacks are too high.',
    },
  ];
}

/** Starts from which gradient attacks cannot move. */
export function zeroGradients({ samples, zero }: StartGradients): readonly Finding[] {
  if (zero === 0) return [];
  return [
    {
      id: 'evasion/zero-gradients',
      title: 'Gradient attacks are blind to some samples',
      severity: 'medium',
      taxonomy: EVASION,
      evidence: `At a random start in the ball the gradient of the difference of logits is zero in every element for ${zero} of ${samples} samples.`,
      remedy:
        'Gradient attacks go nowhere from there, so their figures are too high. Look for rounding, sign or saturated layers; use rounding=straight-through for quantised models, and rely on attacks that need no gradient.',
    },
  ];
}

/**
 * Square Attack does better than the gradient attacks. That alone is no verdict: it is about masking only if the gradient attacks still
 * miss what Square found when they try again, with more restarts and conjugate directions, and that for three samples or more.
 */
export function squareBeatsGradients({
  share: { n, only },
  again,
}: {
  readonly share: SquareShare;
  readonly again?: (Pick<WhiteBoxAgain, 'missed' | 'more'> & { readonly complete: boolean }) | undefined;
}): readonly Finding[] {
  if (!isNoticed(only.length, n)) return [];
  const found = `Square Attack, which sees no gradient, broke ${only.length} of ${n} samples (${percent(only.length / n)}) that the gradient attacks before it had missed`;
  if (!again?.complete)
    return [
      {
        id: 'evasion/gradient-attacks-open',
        title: 'Whether gradient attacks are misled is open',
        severity: 'low',
        taxonomy: EVASION,
        evidence: `${found}; gradient attacks with more restarts were not run to the end.`,
        remedy: 'Go on with --resume, or assess with autoattack(version=plus).',
      },
    ];
  const { missed, more } = again;
  const isMasked = isNoticed(missed.length, n) && missed.length >= LEAST_MISSED;
  const further = more.length > 0 ? ` and broke ${more.length} more` : '';
  if (isMasked)
    return [
      {
        id: 'evasion/gradient-masking-square',
        title: 'Gradient masking: an attack without gradients finds what gradient attacks miss',
        severity: 'medium',
        taxonomy: EVASION,
        evidence: `${found}. With five more restarts each, and rounding passed through, these still missed ${missed.length} of them${further}.`,
        remedy:
          'Do not rely on the figures of gradient attacks here, nor on the worst case as the last word: run square with more queries and restarts, and attack the defence itself (leave out or smooth the layer that hides the gradient).',
      },
    ];
  return [
    {
      id: 'evasion/more-restarts-needed',
      title: 'Gradient attacks needed more restarts than usual',
      severity: 'info',
      taxonomy: NONE,
      evidence: `${found}. With five more restarts each they found ${only.length - missed.length} of them${further}: no sign of gradient masking.`,
      remedy:
        'Nothing about the model. Compare it with others on the worst case, which has all of this in it.',
    },
  ];
}

/** What an attack with class after class as target needs. */
export interface TargetedAttack {
  readonly id: string;
  /** Classes that it would run at. */
  readonly targets: number;
}

/** Losses and targets that need more classes than there are. `attacks`: those that were run and name classes. */
export function fewClasses(facts: {
  readonly task: Task;
  readonly classes: number;
  readonly attacks: readonly TargetedAttack[];
}): readonly Finding[] {
  const { task, classes, attacks } = facts;
  if (task !== 'classification' || attacks.length === 0) return [];
  const short = attacks.filter(({ targets }) => targets > classes - 1);
  const signs = [
    ...(classes < 4
      ? [
          `the ${classes < 3 ? '' : 'targeted '}difference of logits ratio needs ${classes < 3 ? 'three' : 'four'}; the plain difference of logits took its place`,
        ]
      : []),
    ...(short.length > 0
      ? [
          `${short.map(({ id, targets }) => `${id} would run at ${targets}`).join(', ')}; all ${classes - 1} others were run`,
        ]
      : []),
  ];
  if (signs.length === 0) return [];
  return [
    {
      id: 'evasion/few-classes',
      title: `${classes} classes are fewer than the usual attacks are made for`,
      severity: 'info',
      taxonomy: NONE,
      evidence: `With ${classes} classes: ${signs.join('; ')}.`,
      remedy: 'Nothing to do; the figures stand, but they are no AutoAttack figures to the letter.',
    },
  ];
}
