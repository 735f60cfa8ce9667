import { type Rng, randomFrom } from '../../core/random.ts';
import type { MonitorSetting } from '../monitor.ts';
import { rateInterval } from '../statistics/gamma.ts';
import { type Calibrated, type CalibrationMore, packReference, trafficOf } from './calibrated.ts';
import { openTaking } from './fair-part.ts';
import { redrawRows } from './redrawn-rows.ts';
import { openReservoir } from './reservoir.ts';
import type { Rows } from './rows.ts';
import { FEWEST_WINDOWS, highestTail, tailOf, thresholdAt } from './threshold.ts';
import type { WindowTest } from './window-test.ts';
import { BLOCK, looksOf, REFERENCE, type WindowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

const DAY = 86_400_000;
/** References that are drawn again, and windows for each. */
const REFERENCES = 10;
const WINDOWS = 40;

/** A calm window, and the sightings that it was made of. */
interface CalmWindow {
  readonly rows: Rows;
  readonly on: number;
}

/**
 * Sets the threshold of a monitor that compares windows and measures it, on the user's own calm traffic. Calm traffic is cut into windows as in service (for an online monitor into blocks, of which the highest look counts). Every second one is part of the
 * reference; of the others, the first half (in time) sets the threshold, and on the second half false alarms are counted. Windows are kept whole, because neighbouring calls have much in common. Few windows do not show what is rare, so that windows and
 * references are drawn again from those that set the threshold, run by run ({@link redrawRows}); what asks for more counts. Undefined where there are fewer than two windows or 50 rows a side. Cost: 400 windows are tested, and ten references learnt.
 */
export function calibrateWindowed(
  subject: WindowedSubject,
  options: WindowedOptions,
  { seed, calm }: Pick<MonitorSetting, 'seed' | 'calm'>,
  more: CalibrationMore = {},
): Calibrated | undefined {
  const rng = randomFrom(seed, 'calibrate', subject.name);
  const cut = cutWindows(subject, options, calm, rng.fork('window'));
  if (cut === undefined) return undefined;
  const { windows, rowsPerSample, days } = cut;
  const reference = openReservoir(cut.width, REFERENCE, rng.fork('reference'));
  const even = windows.filter((_, i) => i % 2 === 0);
  const odd = windows.filter((_, i) => i % 2 === 1);
  for (const { rows } of even)
    for (let i = 0; i < rows.n; i++)
      reference.offer(rows.values, i * cut.width, rows.principals[i]!, rows.decisions[i]!, rows.at[i]!);
  if (reference.size < 50 || odd.reduce((sum, { rows }) => sum + rows.n, 0) < 50) return undefined;
  const learnt = reference.rows();
  const test = subject.test(learnt);
  const half = Math.floor(odd.length / 2);
  const setting = odd.slice(0, half).map(({ rows }) => scoreOf(subject, options, test, rows));
  const held = odd.slice(half);
  const again = redrawn(
    subject,
    options,
    test,
    [...even, ...odd.slice(0, half)].map(({ rows }) => rows),
    rng.fork('again'),
  );
  const warnings: string[] = [];
  if (setting.length < FEWEST_WINDOWS)
    warnings.push(
      `calm traffic makes ${setting.length} windows to set the threshold on, fewer than ${FEWEST_WINDOWS}: calls were drawn again, so changes over time are not in it`,
    );
  if (days < 1)
    warnings.push(
      `calm traffic is of ${(24 * days).toFixed(1)} hours: what the hours of a day change is not in it`,
    );
  const budgetPerDay = options.perDay;
  const trafficPerDay = more.trafficPerDay ?? trafficOf(calm);
  const windowsPerDay =
    DAY / Math.max(1000 * options.seconds, (options.rows / (trafficPerDay * rowsPerSample)) * DAY, 1);
  const looks = subject.online ? looksOf(options.rows / BLOCK, subject.online.stride) : 1;
  const level = budgetPerDay / windowsPerDay;
  const tail = highestTail([tailOf(setting), tailOf(again)], level);
  const threshold = thresholdAt(level, tail, looks);
  // An alarm that goes on from window to window is one.
  let [alarms, wasAlarmed] = [0, false];
  for (const { rows } of held) {
    const isAlarmed = scoreOf(subject, options, test, rows) > threshold;
    if (isAlarmed && !wasAlarmed) alarms++;
    wasAlarmed = isAlarmed;
  }
  const heldDays = held.length / windowsPerDay;
  const [low, high] = rateInterval(alarms, heldDays);
  return {
    schema: 'glacis.drift-calibration/1',
    ...{ monitor: subject.name, budgetPerDay, trafficPerDay, features: [...subject.features] },
    ...{
      rows: subject.online ? options.rows / BLOCK : options.rows,
      seconds: options.seconds,
      ...{ windowsPerDay, looks, threshold },
      tail: tail ?? null,
      method: setting.length < FEWEST_WINDOWS ? 'resampled' : 'windows',
    },
    measured: {
      ...{ windows: held.length, days: heldDays, alarms, perDay: heldDays > 0 ? alarms / heldDays : 0, low },
      high: Number.isFinite(high) ? high : null,
      on: held.reduce((sum, each) => sum + each.on, 0),
    },
    warnings,
    reference: packReference(learnt),
  };
}

/** Calm traffic in windows as in service; undefined where the monitor is blind. */
function cutWindows(
  { width, take, online }: WindowedSubject,
  options: WindowedOptions,
  calm: MonitorSetting['calm'],
  rng: Rng,
):
  | {
      readonly width: number;
      readonly windows: readonly CalmWindow[];
      readonly rowsPerSample: number;
      readonly days: number;
    }
  | undefined {
  if (typeof width === 'string' || take === undefined) return undefined;
  const window = openReservoir(width, options.most, rng);
  const taking = openTaking({ online }, options);
  const windows: CalmWindow[] = [];
  let [samples, offered, on, first, last] = [0, 0, 0, Number.POSITIVE_INFINITY, 0];
  for (const sighting of calm) {
    samples += sighting.n;
    on++;
    first = Math.min(first, sighting.at);
    last = Math.max(last, sighting.at);
    take(sighting, (values, offset, principal, decision, at) => {
      if (!Number.isFinite(at) || !taking.takes(principal, at)) return;
      offered++;
      window.offer(values, offset, principal, decision, at);
    });
    if (window.seen < options.rows || window.last - window.first < 1000 * options.seconds) continue;
    windows.push({ rows: window.rows(), on });
    window.clear();
    taking.begin();
    on = 0;
  }
  return { width, windows, rowsPerSample: offered / Math.max(1, samples), days: (last - first) / DAY };
}

/** The score of a window; of an online monitor the highest of all looks at it. */
function scoreOf(
  { online }: WindowedSubject,
  options: WindowedOptions,
  test: WindowTest,
  rows: Rows,
): number {
  const slider = online && test.slide?.(options.rows / BLOCK);
  if (!slider) return test.test(rows).score;
  let most = 0;
  for (let i = 0; i < rows.n; i++) {
    slider.push(rows.values, i * rows.width);
    if ((i + 1) % online.stride === 0) most = Math.max(most, slider.score());
  }
  return most;
}

/** Scores of windows drawn again, beside references drawn again. */
function redrawn(
  subject: WindowedSubject,
  options: WindowedOptions,
  test: WindowTest,
  windows: readonly Rows[],
  rng: Rng,
): readonly number[] {
  const sizes = windows.map(({ n }) => n).sort((a, b) => a - b);
  const rows = redrawRows(windows, sizes[sizes.length >> 1]!, rng);
  return Array.from({ length: REFERENCES }, () => {
    const reference = rows.reference(REFERENCE);
    const against = reference ? subject.test(reference) : test;
    return Array.from({ length: WINDOWS }, () => scoreOf(subject, options, against, rows.window()));
  }).flat();
}
