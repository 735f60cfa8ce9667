import { GlacisError } from '../core/error.ts';
import type { PrivateWishes } from '../train/plan/private-training.ts';
import type { Given, OptionTable } from './args.ts';
import { numberFrom, wishesFrom } from './train-options.ts';

/** Options of private training. */
export const PRIVATE_OPTIONS: OptionTable = {
  epsilon: {
    value: 'E',
    help: 'train with differential privacy, with so much noise that no more than this epsilon is spent (docs/private-training.md)',
  },
  'noise-multiplier': {
    value: 'S',
    help: 'the same with this noise: standard deviation over the clipping norm',
  },
  delta: {
    value: 'D',
    help: 'probability outside the promise (n^-1.1 for n samples, rounded down, unless given)',
  },
  clip: {
    value: 'C',
    help: 'most that the norm of a sample’s gradient may be, or "adaptive(start=1, quantile=0.5)" (0.1 unless given; sgd learns at 0.08 over it)',
  },
  'logical-batch': {
    value: 'B',
    help: 'samples in a private step on average (a hundredth of all, from 64 to 2048, unless given)',
  },
  'physical-batch': {
    value: 'B',
    help: 'most samples that a private step computes at once: memory, not the result (64 unless given)',
  },
  accountant: {
    value: 'NAME',
    help: 'accountant that finds the noise for --epsilon: pld (tight) or rdp (pld unless given; both are stated)',
  },
  normalisation: {
    value: 'WHAT',
    help: 'BatchNormalization in private training: refuse, or rewrite it to group normalisation (refuse unless given)',
  },
  'public-weights': {
    help: 'your word that the weights of --model were not learned from the private samples',
  },
  ledger: {
    value: 'FILE',
    help: 'where budgets are kept; GLACIS_PRIVACY_LEDGER or one in your home unless given',
  },
  'ledger-limit': {
    value: 'E',
    help: 'refuse to train if all private runs on these data together would spend more than this epsilon',
  },
};

/** Options of plain training that a private run must not have, and why. */
const UNFIT: Readonly<Record<string, string>> = {
  seed: 'whoever knows the seed can take the noise away; a secret key draws it',
  batch:
    'a private step has --logical-batch samples on average, of which --physical-batch are computed at once',
  mixup: 'a mixed sample is several samples, whose influence together is not bounded by the clipping norm',
  'clip-gradients': 'the gradient of each sample is clipped, by --clip',
  'keep-best': 'choosing among epochs by private samples spends privacy that nobody accounts for',
  patience: 'stopping by private samples spends privacy that nobody accounts for',
  'when-catastrophic': 'private training does not look at what it learned',
  'validation-share':
    'what is held back of private samples is private, too; give samples that may be known with --validation',
  'fold-normalisation': 'private training has no BatchNormalization',
};

/** Whether private training is asked for. Errors: `option/invalid` for options of it without epsilon or noise. */
export function isPrivate(given: Given): boolean {
  if (given.text('epsilon') !== undefined || given.text('noise-multiplier') !== undefined) return true;
  const stray = Object.keys(PRIVATE_OPTIONS).find((name) => given.flag(name));
  if (stray !== undefined)
    throw new GlacisError(
      'option/invalid',
      `--${stray}: expected --epsilon E or --noise-multiplier S beside it, which ask for private training, got neither`,
    );
  return false;
}

/** The wishes of {@link PRIVATE_OPTIONS} and of plain training as far as they fit. Errors: `option/invalid`. */
export function privateWishesFrom(given: Given): PrivateWishes {
  const unfit = Object.keys(UNFIT).find((name) => given.flag(name));
  if (unfit !== undefined)
    throw new GlacisError(
      'option/invalid',
      `--${unfit}: expected none with --epsilon or --noise-multiplier, got one: ${UNFIT[unfit]}`,
    );
  const { learningRate, schedule, warmUp, loss, classWeights, labelSmoothing, ...rest } = wishesFrom(given);
  const { augment, average, against, norm, epochs, optimiser } = rest;
  return {
    learningRate,
    schedule,
    warmUp,
    loss,
    classWeights,
    labelSmoothing,
    augment,
    average,
    against,
    norm,
    epochs,
    optimiser,
    epsilon: numberFrom(given, 'epsilon'),
    noise: numberFrom(given, 'noise-multiplier'),
    delta: numberFrom(given, 'delta'),
    clip: given.text('clip'),
    batch: given.whole('logical-batch', 1),
    rows: given.whole('physical-batch', 1),
    accountant: given.choice('accountant', ['pld', 'rdp']),
    normalisation: given.choice('normalisation', ['refuse', 'rewrite']),
  };
}
