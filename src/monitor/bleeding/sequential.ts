import { randomFrom } from '../../core/random.ts';
import type { Alarm } from '../alarm.ts';
import { historyOf } from '../drift/history.ts';
import { distinctMoments } from '../drift/runs.ts';
import type { Spread } from '../drift/spread.ts';
import { openTrails } from '../drift/trails.ts';
import type { Monitor, MonitorSetting, MonitorState } from '../monitor.ts';
import { openCallerWatches } from './caller-watches.ts';
import { type MeanStream, openMeanStream, type Rise, type StreamOptions } from './mean-stream.ts';
import { emitRuns, type SequentialOptions, type SequentialSubject } from './number-source.ts';
import { alarmOfRise } from './rise-alarm.ts';
import { readSequential } from './sequential-calibration.ts';
import { readSequentialMemory, writeSequential } from './sequential-memory.ts';
import { spreadOfCaller, spreadOfRise } from './whose-rise.ts';

/** Numbers that are kept of one caller. */
const GROUP_RING = 300;
const MOST_CALLERS = 1024;
/** Least time between numbers of a stream that trails are made of. */
const TRAILED = 1000;

/**
 * Opens a monitor of means: each stream is watched by an e-detector, in all and (where asked) for each caller by itself. The budget of false alarms is shared
 * evenly; because rates of false alarms are per number, any number of callers may share it.
 */
export function openSequential(
  subject: SequentialSubject,
  options: SequentialOptions,
  setting: MonitorSetting,
): Monitor {
  const { name } = subject;
  const { model, version, digest, freshId } = setting;
  const rng = randomFrom(setting.seed, 'monitor', name, model);
  const calibrated = readSequential(setting.calibration, name);
  const given = typeof calibrated === 'object' ? calibrated : undefined;
  const kept = readSequentialMemory(name, setting.remembered, MOST_CALLERS);
  const source = subject.source(given?.source ?? kept.source, kept.sourceBytes);
  const names = Object.keys(subject.streams);
  const perDay = (given?.budgetPerDay ?? options.perDay) / (names.length + subject.groups.length);
  const streams = new Map<string, MeanStream>();
  for (const stream of names) {
    const known = given?.streams.find(({ id }) => id === stream);
    const own: StreamOptions = {
      tolerance: known?.tolerance ?? options.tolerance,
      learn: options.learn,
      perDay,
      trafficPerDay: known?.numbersPerDay,
    };
    streams.set(stream, openMeanStream(own, rng.fork(stream), kept.streams[stream], known?.baseline));
  }
  const trails = new Map(
    names.map((stream) => {
      const trail = openTrails(1);
      const before = kept.trails(stream);
      if (before) trail.add(before);
      return [stream, { trail, last: Number.NEGATIVE_INFINITY, one: new Float32Array(1) }];
    }),
  );
  const historyIn =
    (stream: string, { usual, since }: Rise) =>
    (callers: ReadonlySet<string>) => {
      const own = trails.get(stream)!.trail.of(callers);
      const excess = own && Float64Array.from(own.values, (x) => x - usual.mean);
      return excess && historyOf(own, excess, since);
    };
  const groups = new Map(
    subject.groups.map((stream) => [
      stream,
      openCallerWatches((group) =>
        openMeanStream(
          {
            ...{ tolerance: options.tolerance, learn: options.learn, perDay, ring: GROUP_RING },
            // Rates of false alarms are per number: with the run length of all, any number of callers together keeps to the budget of all.
            runLength: streams.get(stream)!.runLength,
          },
          rng.fork(stream, group),
        ),
      ),
    ]),
  );
  const callers = new Map<string, number>(kept.callers);
  let counted = [...callers.values()].reduce((sum, count) => sum + count, 0);
  const said = new Map<string, number>(kept.said);
  const alarms: Alarm[] = [];

  const calmShare = (caller: string) => (counted === 0 ? 0 : (callers.get(caller) ?? 0) / counted);
  const isDue = (about: string, at: number) => {
    const before = said.get(about);
    if (before !== undefined && Math.abs(at - before) < 3_600_000 * options.again) return false;
    if (said.size >= 256) said.clear();
    said.set(about, at);
    return true;
  };
  const raise = (stream: string, rise: Rise, spread: Spread, subjectText: string) => {
    alarms.push(
      alarmOfRise(
        rise,
        spread,
        {
          ...{ id: freshId(), monitor: name, model, version, digest },
          subject: `${subjectText} of ${model}`,
          title: subject.streams[stream]!,
          told: source.tell?.(rise, stream),
        },
        rng.fork('delays', stream),
      ),
    );
  };

  const emit = emitRuns(subject, (stream, x, caller, group, decision, at) => {
    const watch = streams.get(stream);
    if (watch === undefined) return;
    const trailed = trails.get(stream)!;
    if (Math.abs(at - trailed.last) >= TRAILED) {
      trailed.last = at;
      trailed.one[0] = x;
      trailed.trail.take(trailed.one, 0, caller, decision, at);
    }
    const rise = watch.take(x, caller, decision, at);
    if (
      counted < 20_000 &&
      (callers.has(caller) || callers.size < MOST_CALLERS) &&
      watch.phase() !== 'alarmed'
    ) {
      callers.set(caller, (callers.get(caller) ?? 0) + 1);
      counted++;
    }
    if (rise !== undefined && isDue(stream, at))
      raise(
        stream,
        rise,
        spreadOfRise(rise, {
          calmShare,
          distinct: subject.runs?.includes(stream)
            ? (caller) => distinctMoments(rise.rows, caller)
            : undefined,
          history: historyIn(stream, rise),
        }),
        `${name}: ${stream}`,
      );
    const callersOf = groups.get(stream);
    const one = callersOf?.take(group, x, caller, decision, at);
    // What is said of all is not said of each again.
    if (one === undefined || watch.phase() === 'alarmed' || callersOf!.isMost(group)) return;
    if (!isDue(`${stream}\n${group}`, at)) return;
    raise(
      stream,
      one,
      spreadOfCaller(group, one, historyIn(stream, one)),
      `${name}: ${stream} of one caller`,
    );
  });

  if (given === undefined && Object.keys(kept.streams).length === 0 && source.see)
    for (const sighting of setting.calm) source.see(sighting, emit);
  alarms.length = 0;

  return {
    name,
    see(sightings) {
      if (source.see) for (const sighting of sightings) source.see(sighting, emit);
      return alarms.splice(0);
    },
    learn(labels) {
      if (source.learn) for (const label of labels) source.learn(label, emit);
      return alarms.splice(0);
    },
    state(): MonitorState {
      const all = [...streams].map(([stream, watch]) => ({ stream, phase: watch.phase(), ...watch.state() }));
      const strongest = all.reduce((best, each) =>
        (each.evidence ?? -1) > (best.evidence ?? -1) ? each : best,
      );
      const blind = source.blind?.();
      const phases = new Set(all.map(({ phase }) => phase));
      const learning = all
        .map(({ stream, n }) => `${stream}: ${n} of ${options.learn} samples to learn from`)
        .join('; ');
      return {
        ...{ monitor: name, model },
        phase: phases.has('alarmed')
          ? 'alarmed'
          : blind !== undefined
            ? 'blind'
            : phases.has('watching')
              ? 'watching'
              : 'learning',
        because:
          blind ??
          (phases.has('watching') || phases.has('alarmed')
            ? (source.note?.() ?? (typeof calibrated === 'string' ? calibrated : given?.warnings[0]))
            : learning),
        ...{ score: strongest.evidence, threshold: strongest.threshold, series: strongest.series.points() },
        falseAlarms: {
          budgetPerDay: given?.budgetPerDay ?? options.perDay,
          ...(given && { measuredPerDay: given.measured.perDay }),
          on: given?.measured.on ?? 0,
        },
        parts: [
          ...(source.parts?.() ?? []),
          ...all.map(({ stream, mean }) => ({ name: stream, score: mean ?? 0 })),
          ...[...groups].flatMap(([stream, of]) =>
            [...of.watches()].map(([group, watch]) => ({
              name: `${stream} of ${group}`,
              score: watch.state().mean ?? 0,
            })),
          ),
        ].slice(0, 64),
      };
    },
    snapshot: () =>
      writeSequential(
        name,
        {
          streams: Object.fromEntries([...streams].map(([stream, watch]) => [stream, watch.keep()])),
          ...{ callers: [...callers], said: [...said], source: source.keep?.() ?? null },
        },
        [...trails].map(([stream, { trail }]) => [stream, trail.all()]),
        source.keepBytes?.(),
      ),
  };
}
