import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { MonitorSetting } from '../monitor.ts';
import {
  type ConfidenceCounts,
  calibrationError,
  calibrationShift,
  confidenceCounts,
  countConfidence,
} from '../statistics/calibration-error.ts';
import { calibrateWindowed } from './calibrate-windowed.ts';
import { percent } from './column.ts';
import type { DriftKind } from './drift-kind.ts';
import { type Judged, openLabelJoin } from './label-join.ts';
import type { Rows } from './rows.ts';
import { scoreOf, type WindowTest } from './window-test.ts';
import { openWindowed } from './windowed.ts';
import { type WindowedOptions, windowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

const BINS = 10;
const REMEMBER = 65_536;

function counted(rows: Rows): ConfidenceCounts {
  const counts = confidenceCounts(BINS);
  for (let i = 0; i < rows.n; i++) countConfidence(counts, rows.values[2 * i]!, rows.values[2 * i + 1] === 1);
  return counts;
}

function testOf(calm: Rows): WindowTest {
  const before = counted(calm);
  const usual = calibrationError(before);
  const gapOf = (counts: ConfidenceCounts) =>
    Array.from(counts.n, (n, k) => (n === 0 ? 0 : (counts.right[k]! - counts.confidence[k]!) / n));
  const usualGap = gapOf(before);
  return {
    test(rows) {
      const now = counted(rows);
      const { p } = calibrationShift(before, now);
      const error = calibrationError(now);
      const gap = gapOf(now);
      const total = gap.reduce((sum, each, k) => sum + (each - usualGap[k]!) * now.n[k]!, 0);
      // Towards the side on which most moved: too sure, or not sure enough.
      const side = total < 0 ? -1 : 1;
      const binOf = (said: number) => Math.min(BINS - 1, Math.max(0, Math.ceil(said * BINS) - 1));
      const speaks = (other: Rows) =>
        Float64Array.from({ length: other.n }, (_, i) => {
          const said = other.values[2 * i]!;
          return side * (other.values[2 * i + 1]! - said - usualGap[binOf(said)]!);
        });
      const word = side < 0 ? 'surer than it is right' : 'less sure than it is right';
      return {
        score: scoreOf(p),
        parts: [
          { name: 'expected calibration error', score: error.ece, p },
          {
            ...{ name: 'accuracy by confidence', score: error.ece },
            bins: Array.from({ length: BINS - 1 }, (_, k) => (k + 1) / BINS),
            reference: Array.from(before.right, (right, k) => (before.n[k] === 0 ? 0 : right / before.n[k]!)),
            current: Array.from(now.right, (right, k) => (now.n[k] === 0 ? 0 : right / now.n[k]!)),
          },
        ],
        what: word,
        why: `The expected calibration error is ${percent(error.ece)} (${percent(error.interval[0])} to ${percent(error.interval[1])}) on ${error.n} labelled answers, usually ${percent(usual.ece)}: the model is more often ${word} than it was.`,
        figures: { ece: error.ece, eceInterval: error.interval, usualEce: usual.ece },
        excess: speaks(rows),
        speaks,
        faults: [],
      };
    },
  };
}

function subjectOf({ classes }: Pick<MonitorSetting, 'classes'>): WindowedSubject {
  return {
    name: 'calibration',
    features: ['confidence', 'right'],
    width: classes === undefined ? 'the model is no classifier' : 2,
    test: testOf,
    title: (what) => `the model is ${what}`,
    advice: 'Thresholds on confidence, and estimates of performance, rest on this.',
  };
}

const KIND = 'calibration/1';

function partsOf(bytes: Uint8Array | undefined): {
  readonly windowed?: Uint8Array | undefined;
  readonly answers?: Uint8Array | undefined;
} {
  if (bytes === undefined) return {};
  try {
    const { windowed, answers } = stateFromBytes(KIND, bytes).arrays;
    return {
      windowed: windowed instanceof Uint8Array ? windowed : undefined,
      answers: answers instanceof Uint8Array ? answers : undefined,
    };
  } catch {
    return {};
  }
}

/** Whether confidence means what it meant, as labels come. Scores outside [0, 1] are no confidences and are left out. */
export const calibrationDrift: DriftKind<WindowedOptions> = {
  name: 'calibration',
  about: 'Confidence that no longer says how often the model is right, as labels come in.',
  options: windowedOptions({ rows: 300, learn: 1000, most: 2000 }),
  make(options, setting) {
    const remembered = partsOf(setting.remembered);
    const windowed = openWindowed(subjectOf(setting), options, {
      ...setting,
      remembered: remembered.windowed,
    });
    const join = openLabelJoin(REMEMBER, remembered.answers);
    const row = new Float32Array(2);
    let outside = 0;
    const offer = ({ score, isRight, caller, decision, told }: Judged) => {
      if (!(score >= 0 && score <= 1)) {
        outside++;
        return;
      }
      row[0] = score;
      row[1] = isRight ? 1 : 0;
      windowed.offer(row, 0, caller, decision, told);
    };
    return {
      ...windowed,
      see(sightings) {
        if (setting.classes === undefined) return [];
        for (const sighting of sightings) for (const judged of join.see(sighting)) offer(judged);
        return windowed.drain();
      },
      learn(labels) {
        for (const label of labels) {
          const judged = join.learn(label);
          if (judged !== undefined) offer(judged);
        }
        return windowed.drain();
      },
      snapshot() {
        const answers = join.keep();
        return stateToBytes({
          kind: KIND,
          plain: null,
          arrays: { windowed: windowed.snapshot(), ...(answers && { answers }) },
        });
      },
      state() {
        const state = windowed.state();
        const { labelled } = join.counts;
        if (state.phase !== 'learning') return state;
        if (outside > 0 && outside >= labelled / 2)
          return { ...state, phase: 'blind', because: 'scores are no probabilities' };
        return labelled === 0 ? { ...state, phase: 'blind', because: 'no labels have come' } : state;
      },
    };
  },
  calibrate(options, setting, more = {}) {
    // Labelled answers in the order of their labels, as calls of one row each.
    const join = openLabelJoin(Math.max(1000, setting.calm.length));
    for (const sighting of setting.calm) join.see(sighting);
    const judged = [...(more.labels ?? [])]
      .sort((a, b) => a.at - b.at)
      .flatMap((label) => join.learn(label) ?? []);
    const known = judged.filter(({ score }) => score >= 0 && score <= 1);
    const row = new Float32Array(2);
    const from = new Map(known.map((each) => [`${each.decision} ${each.at} ${each.told}`, each]));
    const subject: WindowedSubject = {
      ...subjectOf(setting),
      take(sighting, offer) {
        const each = from.get(sighting.id)!;
        row[0] = each.score;
        row[1] = each.isRight ? 1 : 0;
        offer(row, 0, each.caller, each.decision, each.told);
      },
    };
    const blank = setting.calm[0];
    if (blank === undefined) return undefined;
    const calm = [...from].map(([id, { told }]) => ({ ...blank, id, at: told, n: 1 }));
    const samples = setting.calm.reduce((sum, { n }) => sum + n, 0);
    // Traffic is that of labels.
    const perDay =
      more.trafficPerDay === undefined
        ? undefined
        : (more.trafficPerDay * calm.length) / Math.max(1, samples);
    return calibrateWindowed(subject, options, { seed: setting.seed, calm }, { trafficPerDay: perDay });
  },
};
