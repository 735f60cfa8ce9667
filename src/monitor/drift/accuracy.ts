import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import type { NumberSource, SequentialOptions, SequentialSubject } from '../bleeding/number-source.ts';
import { openSequential } from '../bleeding/sequential.ts';
import { calibrateSequential } from '../bleeding/sequential-calibration.ts';
import { sequentialOptions } from '../bleeding/sequential-options.ts';
import { percent } from './column.ts';
import type { DriftKind } from './drift-kind.ts';
import { type Judged, openLabelJoin } from './label-join.ts';
import { shown } from './window-test.ts';

/** Options of {@link accuracy}. */
export interface AccuracyOptions extends SequentialOptions {
  readonly remember: number;
}

/** The last labelled answers that accuracy is stated of. */
const RECENT = 1000;

function sourceOf(remember: number, kept: unknown, bytes: Uint8Array | undefined): NumberSource {
  const join = openLabelJoin(remember, bytes);
  const right = new Uint8Array(RECENT);
  let n = 0;
  const before = (kept as { readonly right?: unknown } | undefined)?.right;
  if (typeof before === 'string') for (const one of before.slice(-RECENT)) right[n++] = one === '1' ? 1 : 0;
  const accuracyNow = () => {
    const known = Math.min(n, RECENT);
    let count = 0;
    for (let i = 0; i < known; i++) count += right[i]!;
    return { known, accuracy: known === 0 ? 0 : count / known, interval: clopperPearson(count, known) };
  };
  const labelled = () => {
    const { samples, labelled: known, unknown, twice, contradicting } = join.counts;
    const delays = join.delays();
    const late = delays
      ? `, half of them within ${hours(delays.median)}, 90 % within ${hours(delays.most)}`
      : '';
    return `${known} of ${samples} answers have a label (${percent(samples === 0 ? 0 : known / samples)}${late}); ${unknown} labels are of no answer that is remembered, ${twice} came again, ${contradicting} of these with something else`;
  };
  const told = (judged: Judged) => {
    right[n++ % RECENT] = judged.isRight ? 1 : 0;
    return judged;
  };
  return {
    see(sighting, emit) {
      for (const judged of join.see(sighting)) {
        const { isRight, caller, decision, told: at } = told(judged);
        emit('errors', isRight ? 0 : 1, caller, caller, decision, at);
      }
    },
    learn(label, emit) {
      const judged = join.learn(label);
      if (judged === undefined) return;
      const { isRight, caller, decision, told: at } = told(judged);
      emit('errors', isRight ? 0 : 1, caller, caller, decision, at);
    },
    // The last labelled answers, the oldest first.
    keep: () => ({
      right: Array.from(
        { length: Math.min(n, RECENT) },
        (_, i) => right[(Math.max(0, n - RECENT) + i) % RECENT],
      ).join(''),
    }),
    keepBytes: () => join.keep(),
    blind: () => (join.counts.labelled === 0 ? 'no labels have come' : undefined),
    note: labelled,
    parts() {
      const { labelled: known, samples, unknown, twice, contradicting } = join.counts;
      const { accuracy: share, interval } = accuracyNow();
      const delays = join.delays();
      return [
        { name: 'accuracy', score: share },
        { name: 'accuracy at least', score: interval[0] },
        { name: 'accuracy at most', score: interval[1] },
        { name: 'share with a label', score: samples === 0 ? 0 : known / samples },
        { name: 'labels of no remembered answer', score: unknown },
        { name: 'labels that came again', score: twice },
        { name: 'labels that contradict an earlier one', score: contradicting },
        ...(delays
          ? [
              { name: 'median delay of labels (s)', score: delays.median / 1000 },
              { name: 'delay of labels, 90 % (s)', score: delays.most / 1000 },
            ]
          : []),
      ];
    },
    tell() {
      const { known, accuracy: share, interval } = accuracyNow();
      return {
        why: `Of the last ${known} labelled answers ${percent(share)} are right (${percent(interval[0])} to ${percent(interval[1])}); ${labelled()}. Whoever labels chooses what is labelled: answers without a label may be better or worse.`,
        figures: {
          accuracy: share,
          accuracyInterval: interval,
          labelled: join.counts.labelled,
          unknown: join.counts.unknown,
        },
      };
    },
  };
}

const hours = (milliseconds: number): string =>
  milliseconds < 90_000
    ? `${shown(milliseconds / 1000)} s`
    : milliseconds < 5_400_000
      ? `${shown(milliseconds / 60_000)} minutes`
      : `${shown(milliseconds / 3_600_000)} hours`;

function subjectOf({ remember }: AccuracyOptions): SequentialSubject {
  return {
    name: 'accuracy',
    streams: { errors: 'More answers are wrong than there were' },
    groups: [],
    source: (kept, bytes) => sourceOf(remember, kept, bytes),
  };
}

/** Accuracy as labels come in, late, twice or never; a fall is found by an e-detector, so one may look after every label. */
export const accuracy: DriftKind<AccuracyOptions> = {
  name: 'accuracy',
  about: 'Answers that labels, when they come, say are wrong more often than they were.',
  options: sequentialOptions({
    tolerance: { default: 0.01, about: 'A fall of the accuracy by less is not looked for.' },
    learn: { default: 500, least: 100, about: 'Labelled answers from which it learns what is usual.' },
  }),
  make: (options, setting) => openSequential(subjectOf(options), options, setting),
  calibrate: (options, setting, more) => calibrateSequential(subjectOf(options), options, setting, more),
};
