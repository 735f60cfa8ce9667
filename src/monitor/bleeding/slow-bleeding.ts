import type { DriftKind } from '../drift/drift-kind.ts';
import { openLabelJoin } from '../drift/label-join.ts';
import { callerOf, nameOf } from '../drift/rows.ts';
import { shown } from '../drift/window-test.ts';
import type { NumberSource, SequentialOptions, SequentialSubject } from './number-source.ts';
import { openSequential } from './sequential.ts';
import { calibrateSequential } from './sequential-calibration.ts';
import { sequentialOptions } from './sequential-options.ts';

/** Options of {@link slowBleeding}. */
export interface BleedingOptions extends SequentialOptions {
  readonly remember: number;
}

/** Scores of which is learnt how they are spread. */
const SCORES = 1000;

/**
 * What may be lost slowly: agreement with the verifying model (calls that were verified), correctness (where labels come), and the scores themselves, upwards and downwards, where neither
 * comes. A score counts as the share of calm scores below it, so that its usual mean is a half whatever the model.
 */
function sourceOf(remember: number, kept: unknown, bytes: Uint8Array | undefined): NumberSource {
  const join = openLabelJoin(remember, bytes);
  let scores = scoresOf(kept);
  const learning: number[] = [];
  const below = (score: number): number => {
    let [low, high] = [0, scores!.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores![middle]! < score) low = middle + 1;
      else high = middle;
    }
    // Half of what is equal counts as below.
    let end = low;
    if (scores![low] === score)
      for (high = scores!.length; end < high; ) {
        const middle = (end + high) >> 1;
        if (scores![middle]! <= score) end = middle + 1;
        else high = middle;
      }
    return (low + end) / (2 * scores!.length);
  };
  return {
    see(sighting, emit) {
      const { top, divergence, id, at } = sighting;
      if (sighting.outcome !== 'answered' && divergence === undefined) return;
      const caller = callerOf(sighting);
      const group = sighting.tenant === undefined ? caller : nameOf(sighting.tenant);
      if (divergence !== undefined && divergence !== null)
        emit('divergence', divergence, caller, group, id, at);
      if (top === undefined || sighting.outcome !== 'answered') return;
      for (const judged of join.see(sighting))
        emit('labels', judged.isRight ? 0 : 1, judged.caller, judged.caller, judged.decision, judged.told);
      for (let i = 0; i < top.length; i++) {
        const score = top[i]![1];
        if (!Number.isFinite(score)) continue;
        if (scores !== undefined) {
          const share = below(score);
          emit('scores up', share, caller, group, id, at);
          emit('scores down', 1 - share, caller, group, id, at);
        } else if (learning.push(score) >= SCORES) scores = Float64Array.from(learning.splice(0)).sort();
      }
    },
    learn(label, emit) {
      const judged = join.learn(label);
      if (judged !== undefined)
        emit('labels', judged.isRight ? 0 : 1, judged.caller, judged.caller, judged.decision, judged.told);
    },
    tell({ rows, mean, usual }, stream) {
      if (scores === undefined || !stream.startsWith('scores')) return undefined;
      // Numbers are shares of calm scores on the side that is left behind.
      const isUp = stream === 'scores up';
      const typical = at(scores, isUp ? mean : 1 - mean);
      const before = at(scores, isUp ? usual.mean : 1 - usual.mean);
      return {
        means: `a typical score of the last ${rows.n} answers is ${shown(typical)}, usually ${shown(before)}; they are ${isUp ? 'surer' : 'less sure'} than ${Math.round(100 * mean)} of 100 calm answers, where ${Math.round(100 * usual.mean)} are usual (${usual.why})`,
        why: 'Nobody can say from scores whether answers became worse: labels, or a verifying model, would.',
        figures: { typicalScore: typical, usualScore: before },
      };
    },
    keep: () => ({ scores: scores ? [...scores] : [] }),
    keepBytes: () => join.keep(),
  };
}

/** The score that so many of the calm ones are below. */
function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * sorted.length)))]!;
}

function scoresOf(kept: unknown): Float64Array | undefined {
  const given = (kept as { readonly scores?: unknown } | undefined)?.scores;
  if (!Array.isArray(given) || given.length < 100 || given.length > SCORES) return undefined;
  return given.every((score) => Number.isFinite(score))
    ? Float64Array.from(given as number[]).sort()
    : undefined;
}

function subjectOf({ remember }: BleedingOptions): SequentialSubject {
  return {
    name: 'slow-bleeding',
    streams: {
      divergence: 'The verifying model disagrees more than it did',
      labels: 'More answers are wrong than there were',
      'scores up': 'Scores crept upwards',
      'scores down': 'Scores crept downwards',
    },
    groups: ['divergence', 'labels'],
    runs: ['scores up', 'scores down'],
    source: (kept, bytes) => sourceOf(remember, kept, bytes),
  };
}

/** Small constant losses, found by anytime-valid sequential tests: in all and caller by caller, for each version of a model. */
export const slowBleeding: DriftKind<BleedingOptions> = {
  name: 'slow-bleeding',
  about:
    'Small losses that go on: disagreement with the verifying model, wrong answers, or scores that creep.',
  options: sequentialOptions({
    tolerance: { default: 0.002, about: 'A rise of the mean by less is not looked for.' },
    learn: { default: 2000, least: 200, about: 'Samples from which it learns what is usual.' },
  }),
  make: (options, setting) => openSequential(subjectOf(options), options, setting),
  calibrate: (options, setting, more) => calibrateSequential(subjectOf(options), options, setting, more),
};
