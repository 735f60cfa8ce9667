import { z } from 'zod';
import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { NumberSource, SequentialOptions, SequentialSubject } from '../bleeding/number-source.ts';
import { openSequential } from '../bleeding/sequential.ts';
import { calibrateSequential, readSequential } from '../bleeding/sequential-calibration.ts';
import { sequentialOptions } from '../bleeding/sequential-options.ts';
import type { Monitor, MonitorSetting } from '../monitor.ts';
import { percent } from './column.ts';
import {
  type ConfidenceCalibrator,
  calibratorSchema,
  estimateAccuracy,
  fitCalibrator,
  stepOf,
} from './confidence-calibrator.ts';
import type { DriftKind } from './drift-kind.ts';
import { inputDrift } from './input-drift.ts';
import { type Judged, openLabelJoin } from './label-join.ts';
import { callerOf } from './rows.ts';

/** Options of {@link estimatedPerformance}. */
export interface EstimatedOptions extends SequentialOptions {
  readonly labels: number;
  readonly remember: number;
}

/** Answers of which the present accuracy is stated. */
const RECENT = 1000;

interface Trust {
  /** Why the estimate cannot be trusted now. */
  doubt(): string | undefined;
}

function sourceOf(
  { labels, remember }: EstimatedOptions,
  kept: unknown,
  trust: Trust,
  bytes?: Uint8Array,
): NumberSource & { calibrator(): ConfidenceCalibrator | undefined } {
  const join = openLabelJoin(remember, bytes);
  let calibrator = calibratorFrom(kept);
  const answers: { readonly score: number; readonly isRight: boolean }[] = answersFrom(kept);
  const steps = new Int8Array(RECENT);
  let n = 0;
  const learnt = ({ score, isRight }: Judged) => {
    if (calibrator !== undefined) return;
    if (Number.isFinite(score)) answers.push({ score, isRight });
    if (answers.length >= labels) calibrator = fitCalibrator(answers.splice(0));
  };
  const estimate = () => {
    const counts = new Float64Array(calibrator!.n.length);
    for (let i = 0; i < Math.min(n, RECENT); i++) counts[steps[i]!]!++;
    return estimateAccuracy(calibrator!, counts);
  };
  return {
    calibrator: () => calibrator,
    see(sighting, emit) {
      const { top } = sighting;
      if (top === undefined || sighting.outcome !== 'answered') return;
      if (calibrator === undefined) {
        for (const judged of join.see(sighting)) learnt(judged);
        return;
      }
      const caller = callerOf(sighting);
      for (let i = 0; i < top.length; i++) {
        const score = top[i]![1];
        if (!Number.isFinite(score)) continue;
        const step = stepOf(calibrator, score);
        steps[n++ % RECENT] = step;
        emit(
          'estimated errors',
          1 - calibrator.right[step]! / calibrator.n[step]!,
          caller,
          caller,
          sighting.id,
          sighting.at,
        );
      }
    },
    learn(label) {
      if (calibrator !== undefined) return;
      const judged = join.learn(label);
      if (judged !== undefined) learnt(judged);
    },
    blind() {
      if (calibrator === undefined)
        return `${answers.length} of ${labels} labelled answers have come from which it learns how often a score is right`;
      const doubt = trust.doubt();
      return doubt === undefined ? undefined : `the estimate cannot be trusted now: ${doubt}`;
    },
    note() {
      const { accuracy, interval, n: count } = estimate();
      return `estimated accuracy ${percent(accuracy)} (${percent(interval[0])} to ${percent(interval[1])}) over the last ${count} answers, if a score still means what it meant`;
    },
    parts() {
      if (calibrator === undefined) return [];
      const { accuracy, interval } = estimate();
      return [
        { name: 'estimated accuracy', score: accuracy },
        { name: 'estimated accuracy at least', score: interval[0] },
        { name: 'estimated accuracy at most', score: interval[1] },
        { name: 'can be trusted', score: trust.doubt() === undefined ? 1 : 0 },
      ];
    },
    tell() {
      const { accuracy, interval } = estimate();
      const doubt = trust.doubt();
      return {
        why: `No labels are in this: accuracy is estimated at ${percent(accuracy)} (${percent(interval[0])} to ${percent(interval[1])}) from how often such scores used to be right.${doubt === undefined ? '' : ` It cannot be trusted now: ${doubt}.`}`,
        figures: {
          estimatedAccuracy: accuracy,
          estimatedInterval: interval,
          trusted: doubt === undefined ? 1 : 0,
        },
      };
    },
    // Labels that came are not lost while too few have come.
    keep: () => ({ calibrator: calibrator ?? null, answers }),
    keepBytes: () => (calibrator === undefined ? join.keep() : undefined),
  };
}

function calibratorFrom(kept: unknown): ConfidenceCalibrator | undefined {
  const read = calibratorSchema.safeParse(
    (kept as { readonly calibrator?: unknown } | undefined)?.calibrator,
  );
  if (!read.success) return undefined;
  const { bounds, n, right } = read.data;
  const fits =
    n.length === bounds.length + 1 &&
    right.length === n.length &&
    n.every(
      (count, k) => Number.isInteger(count) && count >= 1 && Number.isInteger(right[k]) && right[k]! <= count,
    );
  return fits ? read.data : undefined;
}

const answersSchema = z.array(z.strictObject({ score: z.number(), isRight: z.boolean() })).max(100_000);

function answersFrom(kept: unknown): { readonly score: number; readonly isRight: boolean }[] {
  return answersSchema.safeParse((kept as { readonly answers?: unknown } | undefined)?.answers).data ?? [];
}

function subjectOf(options: EstimatedOptions, trust: Trust): SequentialSubject {
  return {
    name: 'estimated-performance',
    streams: { 'estimated errors': 'the model is likely wrong more often than it was' },
    groups: [],
    source: (kept, bytes) => sourceOf(options, kept, trust, bytes),
  };
}

/** For watching whether inputs moved, once an hour; its alarms are not said here. */
const WATCHING = inputDrift.options.parse({ perDay: 0.1, seconds: 3600 });
const KIND = 'estimated-performance/1';

/** Watches the inputs for whether the estimate can be trusted: with sketches, feature by feature. */
function watchInputs(setting: MonitorSetting, remembered: Uint8Array | undefined): Monitor | undefined {
  if (setting.features.length === 0) return undefined;
  const given = readSequential(setting.calibration, 'estimated-performance');
  const calibration =
    typeof given === 'object'
      ? (given.source as { readonly inputs?: unknown } | undefined)?.inputs
      : undefined;
  return inputDrift.make(WATCHING, { ...setting, calibration, remembered });
}

/** The two parts of a snapshot. */
function partsOf(bytes: Uint8Array | undefined): { readonly own?: Uint8Array; readonly inputs?: Uint8Array } {
  if (bytes === undefined) return {};
  try {
    const { own, inputs } = stateFromBytes(KIND, bytes).arrays;
    return {
      ...(own instanceof Uint8Array && { own }),
      ...(inputs instanceof Uint8Array && inputs.length > 0 && { inputs }),
    };
  } catch {
    return {};
  }
}

/**
 * Confidence-based performance estimation: how often the model is likely right, without labels, from its scores and from how often such scores were right on labelled calm answers. It holds as long
 * as a score means what it meant. Inputs that moved are a reason to doubt that, and then it says so; a change of the world that leaves inputs as they are (concept drift) it cannot see at all.
 *
 * @see Guillory et al. 2021, "Predicting with confidence on unseen distributions" (difference of confidences); NannyML's CBPE
 */
export const estimatedPerformance: DriftKind<EstimatedOptions> = {
  name: 'estimated-performance',
  about: 'Accuracy estimated without labels, from scores and how often they used to be right.',
  options: sequentialOptions({
    tolerance: { default: 0.01, about: 'A fall of the estimated accuracy by less is not looked for.' },
    learn: { default: 1000, least: 100, about: 'Answers from which it learns what is usual.' },
  }).extend({
    labels: z
      .int()
      .min(100)
      .max(100_000)
      .default(500)
      .describe('Labelled answers from which it learns how often a score is right.'),
  }),
  make(options, setting) {
    const remembered = partsOf(setting.remembered);
    const inputs = watchInputs(setting, remembered.inputs);
    const trust: Trust = {
      doubt() {
        const state = inputs?.state();
        if (state === undefined) return 'inputs are not sketched, so nobody knows whether they moved';
        return state.phase === 'alarmed' ? `inputs moved (${state.parts[0]?.name ?? 'jointly'})` : undefined;
      },
    };
    const monitor = openSequential(subjectOf(options, trust), options, {
      ...setting,
      remembered: remembered.own,
    });
    return {
      ...monitor,
      see(sightings) {
        // Its alarms are those of input-drift, which says them itself.
        inputs?.see(sightings);
        return monitor.see(sightings);
      },
      snapshot: () =>
        stateToBytes({
          kind: KIND,
          plain: null,
          arrays: { own: monitor.snapshot(), inputs: inputs?.snapshot() ?? new Uint8Array(0) },
        }),
    };
  },
  calibrate(options, setting, more = {}) {
    // The calibrator from all labels first; then the estimates of all calm answers.
    const join = openLabelJoin(Math.max(1000, setting.calm.length));
    for (const sighting of setting.calm) join.see(sighting);
    const calibrator = fitCalibrator((more.labels ?? []).flatMap((label) => join.learn(label) ?? []));
    if (calibrator === undefined) return undefined;
    const trust: Trust = { doubt: () => undefined };
    const subject = { ...subjectOf(options, trust), source: () => sourceOf(options, { calibrator }, trust) };
    const made = calibrateSequential(subject, options, setting, { ...more, labels: [] });
    return (
      made && {
        ...made,
        source: { calibrator, inputs: inputDrift.calibrate(WATCHING, setting, more) ?? null },
      }
    );
  },
};
