import { randomFrom } from '../../core/random.ts';
import type { MonitorSetting } from '../monitor.ts';
import { rateInterval } from '../statistics/gamma.ts';
import { type Calibrated, type CalibrationMore, packReference, trafficOf } from './calibrated.ts';
import { openReservoir } from './reservoir.ts';
import { type Rows, takeRows } from './rows.ts';
import { FEWEST_WINDOWS, tailOf, thresholdAt } from './threshold.ts';
import type { Slider } from './window-test.ts';
import { REFERENCE, type WindowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

const DAY = 86_400_000;
/** Windows that are drawn again where there are too few. */
const RESAMPLED = 200;
/** Windows of an online monitor in a block of calm rows. */
export const BLOCK = 4;
/** Windows that are kept for drawing again. */
const POOL = 20_000;

/**
 * Sets the threshold of a monitor that compares windows and measures it, on the user's own calm traffic. Calm traffic is cut into windows as in service. Every second
 * one is part of the reference; of the others, the first half (in time) sets the threshold, and on the second half false alarms are counted. Windows are kept whole, because
 * neighbouring calls have much in common. Undefined where there are fewer than two windows or 50 rows a side.
 */
export function calibrateWindowed(
  subject: WindowedSubject,
  options: WindowedOptions,
  { seed, calm }: Pick<MonitorSetting, 'seed' | 'calm'>,
  more: CalibrationMore = {},
): Calibrated | undefined {
  if (typeof subject.width === 'string' || subject.take === undefined) return undefined;
  const { width } = subject;
  const budgetPerDay = options.perDay;
  const trafficPerDay = more.trafficPerDay ?? trafficOf(calm);
  const rng = randomFrom(seed, 'calibrate', subject.name);
  const reference = openReservoir(width, REFERENCE, rng.fork('reference'));
  const window = openReservoir(width, options.most, rng.fork('window'));
  const pool = openReservoir(width, POOL, rng.fork('pool'));
  const windows: { readonly rows: Rows; readonly on: number }[] = [];
  let [samples, offered, on, number, first, last] = [0, 0, 0, 0, Number.POSITIVE_INFINITY, 0];
  const close = () => {
    const rows = window.rows();
    const into = number++ % 2 === 0 ? reference : pool;
    for (let i = 0; i < rows.n; i++)
      into.offer(rows.values, i * width, rows.principals[i]!, rows.decisions[i]!, rows.at[i]!);
    if (into === pool) windows.push({ rows, on });
    window.clear();
    on = 0;
  };
  for (const sighting of calm) {
    samples += sighting.n;
    on++;
    first = Math.min(first, sighting.at);
    last = Math.max(last, sighting.at);
    subject.take(sighting, (values, offset, principal, decision, at) => {
      if (!Number.isFinite(at)) return;
      offered++;
      window.offer(values, offset, principal, decision, at);
    });
    if (window.seen >= options.rows && window.last - window.first >= 1000 * options.seconds) close();
  }
  if (reference.size < 50 || pool.size < 50) return undefined;
  const learnt = reference.rows();
  const test = subject.test(learnt);
  const scoresOf = (rows: Rows) =>
    subject.online && test.slide
      ? slid(rows, test.slide(options.rows / BLOCK), subject.online)
      : [test.test(rows).score];
  const half = Math.floor(windows.length / 2);
  const set = windows.slice(0, half).flatMap(({ rows }) => scoresOf(rows));
  const held = windows.slice(half);
  const warnings: string[] = [];
  let method: Calibrated['method'] = 'windows';
  let tail = tailOf(set);
  if (tail === undefined) {
    method = 'resampled';
    warnings.push(
      `calm traffic makes ${set.length} windows to set the threshold on, fewer than ${FEWEST_WINDOWS}: calls were drawn again, so changes over time are not in it`,
    );
    tail = tailOf([
      ...set,
      ...resampled(pool.rows(), options, (rows) => test.test(rows).score, rng.fork('again')),
    ]);
  }
  const days = (last - first) / DAY;
  if (days < 1)
    warnings.push(
      `calm traffic is of ${(24 * days).toFixed(1)} hours: what the hours of a day change is not in it`,
    );
  const rowsPerDay = (trafficPerDay * offered) / Math.max(1, samples);
  // Of an online monitor: looks.
  const windowsPerDay = subject.online
    ? DAY / (subject.online.stride * Math.max(subject.online.gap, DAY / rowsPerDay))
    : DAY / Math.max(1000 * options.seconds, (options.rows / rowsPerDay) * DAY, 1);
  const threshold = thresholdAt(budgetPerDay / windowsPerDay, tail);
  // An alarm that goes on from window to window is one.
  let [alarms, wasAlarmed] = [0, false];
  let looks = 0;
  for (const { rows } of held)
    for (const score of scoresOf(rows)) {
      looks++;
      if (score > threshold && !wasAlarmed) alarms++;
      wasAlarmed = score > threshold;
    }
  const heldDays = looks / windowsPerDay;
  const [low, high] = rateInterval(alarms, heldDays);
  return {
    schema: 'glacis.drift-calibration/1',
    ...{ monitor: subject.name, budgetPerDay, trafficPerDay, features: [...subject.features] },
    ...{
      rows: subject.online ? options.rows / BLOCK : options.rows,
      seconds: options.seconds,
      windowsPerDay,
      threshold,
      tail: tail ?? null,
      method,
    },
    measured: {
      ...{ windows: looks, days: heldDays, alarms, perDay: heldDays > 0 ? alarms / heldDays : 0, low },
      high: Number.isFinite(high) ? high : null,
      on: held.reduce((sum, each) => sum + each.on, 0),
    },
    warnings,
    reference: packReference(learnt),
  };
}

/** Scores of a window that moves over the rows, look by look. */
function slid(
  rows: Rows,
  slider: Slider,
  { stride, gap }: { readonly stride: number; readonly gap: number },
): readonly number[] {
  const scores: number[] = [];
  let [pushed, before] = [0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < rows.n; i++) {
    if (rows.at[i]! - before < gap) continue;
    before = rows.at[i]!;
    slider.push(rows.values, i * rows.width);
    if (++pushed % stride !== 0) continue;
    const score = slider.score();
    if (score > 0 || scores.length > 0) scores.push(score);
  }
  return scores;
}

/** Scores of windows drawn again from calm calls, whole calls at a time. */
function resampled(
  pool: Rows,
  { rows, most }: WindowedOptions,
  score: (rows: Rows) => number,
  rng: ReturnType<typeof randomFrom>,
): readonly number[] {
  const calls = new Map<string, number[]>();
  for (let i = 0; i < pool.n; i++) {
    const of = calls.get(pool.decisions[i]!);
    if (of) of.push(i);
    else calls.set(pool.decisions[i]!, [i]);
  }
  const all = [...calls.values()];
  const size = Math.min(rows, most);
  return Array.from({ length: RESAMPLED }, () => {
    const places: number[] = [];
    while (places.length < size) places.push(...all[rng.integer(all.length)]!);
    return score(takeRows(pool, places.slice(0, size)));
  });
}
