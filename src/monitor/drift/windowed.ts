import { randomFrom } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import type { Monitor, MonitorSetting, MonitorState } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { type Calibrated, readCalibrated } from './calibrated.ts';
import { openTaking } from './fair-part.ts';
import { historyOf } from './history.ts';
import { openRecentRows } from './recent-rows.ts';
import { openReservoir } from './reservoir.ts';
import type { Rows } from './rows.ts';
import { type Distinct, distinctInputs, distinctMoments } from './runs.ts';
import { openSeries } from './series.ts';
import type { SpreadMore } from './spread.ts';
import { thresholdAt } from './threshold.ts';
import { latestOf, openTrails } from './trails.ts';
import type { Slider, Verdict, WindowTest } from './window-test.ts';
import { openWindowWords } from './window-words.ts';
import { readWindowed, writeWindowed } from './windowed-memory.ts';
import { looksOf, REFERENCE, type WindowedOptions } from './windowed-options.ts';
import type { Offer, WindowedSubject } from './windowed-subject.ts';

/** A monitor that compares windows, with its inside for those who are made of it. */
export interface Windowed extends Monitor {
  readonly offer: Offer;
  /** Alarms since it was last asked. */
  drain(): readonly Alarm[];
}

const DAY = 86_400_000;
/** Least time between points of the series of a monitor that looks often. */
const STEP = 30_000;

/** Opens one. Cost: a few comparisons a row; a test a window. */
export function openWindowed(
  subject: WindowedSubject,
  options: WindowedOptions,
  setting: MonitorSetting,
): Windowed {
  const { name } = subject;
  const { model } = setting;
  const width = typeof subject.width === 'number' ? subject.width : 1;
  const rng = randomFrom(setting.seed, 'monitor', name, model);
  const learnt = openReservoir(width, Math.min(REFERENCE, options.learn), rng.fork('reference'));
  const window = openReservoir(width, options.most, rng.fork('window'));
  const given = readCalibrated(setting.calibration, name, subject.features);
  const calibrated: Calibrated | undefined = typeof given === 'object' ? given.calibrated : undefined;
  const origin = typeof given === 'object' ? given.origin : 'learnt';
  const kept = readWindowed(name, setting.remembered, origin, width);
  const series = openSeries(kept?.plain.series);
  const words = openWindowWords(subject, options.again, setting, kept?.plain.said);
  let test: WindowTest | undefined;
  const lately = openRecentRows(width, subject.online ? options.rows : 1);
  let slider: Slider | undefined;
  const taking = openTaking(subject, options);
  /** The reference is a window of its own. */
  const learning = openTaking(subject, { rows: options.learn, seconds: options.seconds });
  let [pushed, lookedAt, shownAt] = [0, 0, Number.NEGATIVE_INFINITY];
  let shares: ReadonlyMap<string, number> = new Map();
  let reference: Rows | undefined;
  let [verdict, threshold]: [Verdict | undefined, number | undefined] = [undefined, undefined];
  let duration = kept?.plain.duration ?? 0;
  let distinct: Distinct | undefined;
  /** What callers sent before, so that a slow change of few is not called an attack. */
  const trails = openTrails(width);
  if (kept?.trails) trails.add(kept.trails);

  const begin = (rows: Rows) => {
    reference = rows;
    // The reference of a calibration has no times.
    if (rows.at[rows.n - 1]! > 0 && !kept?.trails) trails.add(rows);
    test = subject.test(rows);
    slider = subject.online && test.slide?.(options.rows);
    taking.know(rows.principals);
    const counts = new Map<string, number>();
    for (const who of rows.principals) counts.set(who, (counts.get(who) ?? 0) + 1 / rows.n);
    shares = counts;
    distinct =
      subject.runs === 'inputs'
        ? distinctInputs(rows)
        : subject.runs === 'moments'
          ? distinctMoments
          : undefined;
  };

  /** What is known of the callers of a window beside it. */
  const moreOf = (rows: Rows, found: Verdict, watch: WindowTest): SpreadMore => ({
    calmShare: (who) => shares.get(who) ?? 0,
    scoreOfRest: (rest) => watch.test(rest).score,
    distinct: distinct && ((caller) => distinct!(rows, caller)),
    othersOf(callers) {
      const others = trails.of(callers, true);
      return others && latestOf(others, rows.n);
    },
    history(callers) {
      const own = trails.of(callers);
      return own && historyOf(own, found.speaks(own), rows.at[0]!);
    },
  });

  const looks = calibrated?.looks ?? (subject.online ? looksOf(options.rows, subject.online.stride) : 1);
  const windowsPerDay = () => Math.max(1e-3, DAY / Math.max(1000 * options.seconds, duration * looks, 1));
  /** The budget divided by the windows there are: at the traffic of the calibration, or of now where there is more. */
  const thresholdNow = () => {
    const perDay = calibrated
      ? Math.max(calibrated.windowsPerDay, duration > 0 ? windowsPerDay() : 0)
      : windowsPerDay();
    return thresholdAt(
      (calibrated?.budgetPerDay ?? options.perDay) / perDay,
      calibrated?.tail ?? undefined,
      looks,
    );
  };

  const addPoint = (at: number, score: number) => {
    if (subject.online && Math.abs(at - shownAt) < STEP) return;
    shownAt = at;
    series.add(at, score);
  };

  const judge = (rows: Rows, watch: WindowTest) => {
    const found = watch.test(rows);
    verdict = found;
    const limit = thresholdNow();
    threshold = limit;
    addPoint(rows.at[rows.n - 1]!, found.score);
    for (const fault of found.faults) words.fault(rows, fault, { shares, reference: reference! });
    if (found.score > limit) words.drift(rows, found, limit, moreOf(rows, found, watch));
  };

  const offer: Offer = (values, offset, principal, decision, at) => {
    if (!Number.isFinite(at) || !(test === undefined ? learning : taking).takes(principal, at)) return;
    if (test === undefined) {
      learnt.offer(values, offset, principal, decision, at);
      if (learnt.seen >= options.learn && learnt.last - learnt.first >= 1000 * options.seconds) {
        begin(learnt.rows());
        learnt.clear();
      }
      return;
    }
    if (slider && subject.online) {
      const { stride } = subject.online;
      lately.offer(values, offset, principal, decision, at);
      slider.push(values, offset);
      if (++pushed % stride !== 0) return;
      trails.add(latestOf(lately.rows(), stride));
      if (lookedAt > 0 && at > lookedAt)
        duration = duration === 0 ? at - lookedAt : 0.98 * duration + 0.02 * (at - lookedAt);
      lookedAt = at;
      const score = slider.score();
      const isAbove = score > thresholdNow();
      if (
        isAbove !== (verdict !== undefined && verdict.score > (threshold ?? 0)) ||
        isAbove ||
        pushed % (8 * stride) === 0
      )
        judge(lately.rows(), test);
      return;
    }
    window.offer(values, offset, principal, decision, at);
    const took = window.last - window.first;
    if (
      window.size < Math.min(options.rows, options.most) ||
      window.seen < options.rows ||
      took < 1000 * options.seconds
    )
      return;
    const rows = window.rows();
    window.clear();
    taking.begin();
    duration = duration === 0 ? took : 0.8 * duration + 0.2 * took;
    trails.add(rows);
    judge(rows, test);
  };

  const takeAll = (sightings: readonly Sighting[]) => {
    if (typeof subject.width === 'string' || subject.take === undefined) return;
    for (const sighting of sightings) subject.take(sighting, offer);
  };

  if (typeof given === 'object') begin(given.reference);
  else if (kept?.reference) begin(kept.reference);
  if (kept?.window) window.fill(kept.window, kept.plain.seen);
  if (kept?.learning && test === undefined) learnt.fill(kept.learning, kept.plain.learning);
  if (test === undefined && setting.calm.length > 0 && typeof subject.width === 'number' && subject.take) {
    // All that is given is the reference, however little.
    const all = openReservoir(width, REFERENCE, rng.fork('calm'));
    const calmTaking = openTaking(subject, { rows: REFERENCE, seconds: options.seconds });
    const offerCalm: Offer = (values, offset, principal, decision, at) => {
      if (calmTaking.takes(principal, at)) all.offer(values, offset, principal, decision, at);
    };
    for (const sighting of setting.calm) subject.take(sighting, offerCalm);
    if (all.size >= 30) begin(all.rows());
  }

  const because = (): string | undefined => {
    if (typeof subject.width === 'string') return subject.width;
    if (test === undefined)
      return learnt.seen < options.learn
        ? `${learnt.seen} of ${options.learn} rows of the reference have come`
        : `the reference spans ${Math.floor((learnt.last - learnt.first) / 1000)} of ${options.seconds} seconds`;
    if (typeof given === 'string') return given;
    if (calibrated === undefined)
      return 'not calibrated: the threshold takes rows for independent of each other; glacis monitor calibrate measures it on calm traffic';
    if (duration > 0 && windowsPerDay() > 2 * calibrated.windowsPerDay)
      return `there is ${(windowsPerDay() / calibrated.windowsPerDay).toFixed(1)} times the traffic that it was calibrated for`;
    return calibrated.warnings[0];
  };

  return {
    name,
    offer,
    drain: words.drain,
    see(sightings) {
      takeAll(sightings);
      return words.drain();
    },
    state(): MonitorState {
      const isAlarmed =
        verdict !== undefined && (verdict.score > (threshold ?? 0) || verdict.faults.length > 0);
      return {
        ...{ monitor: name, model, because: because(), score: verdict?.score },
        phase:
          typeof subject.width === 'string'
            ? 'blind'
            : test === undefined
              ? 'learning'
              : isAlarmed
                ? 'alarmed'
                : 'watching',
        threshold: test === undefined ? undefined : (threshold ?? thresholdNow()),
        series: series.points(),
        falseAlarms: {
          budgetPerDay: calibrated?.budgetPerDay ?? options.perDay,
          ...(calibrated && { measuredPerDay: calibrated.measured.perDay }),
          on: calibrated?.measured.on ?? 0,
        },
        parts: verdict?.parts ?? [],
      };
    },
    snapshot: () =>
      writeWindowed(
        name,
        origin,
        { duration, series: series.points(), said: words.said(), seen: window.seen, learning: learnt.seen },
        {
          reference: origin === 'learnt' ? reference : undefined,
          window: window.rows(),
          learning: learnt.rows(),
          trails: trails.all(),
        },
      ),
  };
}
