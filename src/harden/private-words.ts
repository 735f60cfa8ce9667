import type { Assessment, ContrastVerdict } from '../assess/index.ts';
import { mostAdvantage, sentenceOf } from '../privacy/index.ts';
import type { PrivacyRecord } from '../train/record.ts';

/** What a private hardening promises, and what membership inference finds before and after, a sentence each. */
export function privacyWords(
  { statements, allRuns, start, rewritten }: PrivacyRecord,
  before: Assessment['generalisation'],
  after: Assessment['generalisation'],
): readonly string[] {
  const [first] = statements;
  return [
    ...(first
      ? [
          `Each training sample is protected now: ${sentenceOf(first)}.`,
          `Whatever the attack, its true positive rate in telling whether a sample was learned from exceeds its false positive rate by at most ${points(mostAdvantage(first.epsilon, first.delta))} points.`,
        ]
      : []),
    ...(allRuns && allRuns.runs > 1
      ? [`With all ${allRuns.runs} private runs on these data together: ${sentenceOf(allRuns.statement)}.`]
      : []),
    ...(before && after ? membershipWords(before, after) : []),
    start === 'drawn'
      ? 'The weights were drawn anew: going on from a model that was trained on the same samples would not have been private.'
      : 'All this rests on your word that the weights it began with were not learned from these samples.',
    ...(rewritten.length > 0
      ? [`BatchNormalization, which mixes samples, became group normalisation in ${rewritten.length} layers.`]
      : []),
  ];
}

type Generalisation = NonNullable<Assessment['generalisation']>;

function membershipWords(before: Generalisation, after: Generalisation): readonly string[] {
  const one = ({ membership: { advantage, auc } }: Generalisation) =>
    `${points(advantage.difference)} points (95 % interval ${points(advantage.interval[0])} to ${points(advantage.interval[1])}, AUC ${auc.toFixed(2)})`;
  const gap = ({ members, others }: Generalisation) =>
    `${percent(members.rate.accuracy)} on training and ${percent(others.rate.accuracy)} on other samples`;
  return [
    `The simplest membership inference, a threshold on the loss, had an advantage of ${one(before)} before and has one of ${one(after)} after; stronger attacks find more.`,
    `Before, the model was right on ${gap(before)}; after, on ${gap(after)}.`,
  ];
}

/** What privacy cost in accuracy without an attack, or did not. */
export function costWords(accuracy: ContrastVerdict | undefined): string {
  switch (accuracy) {
    case 'lower':
      return 'Privacy was paid for with accuracy: a larger epsilon, more data or more epochs with larger logical batches cost less.';
    case 'higher':
      return 'It did not cost accuracy on these samples; the model is right more often than before.';
    default:
      return 'These samples show no price in accuracy.';
  }
}

/** What a model that is private and learned from attacked samples withstands, beside one before that protected no sample. */
export function bothWords(robust: ContrastVerdict): string {
  switch (robust) {
    case 'lower':
      return 'It withstands less than the model before, which protected no sample: noise costs robustness, too. Give a larger epsilon, more data or more time, or harden for one goal.';
    case 'higher':
      return 'It withstands more now, and protects each training sample.';
    default:
      return 'It protects each training sample; nothing shows that it withstands more or less than before.';
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (share: number) => `${share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;
