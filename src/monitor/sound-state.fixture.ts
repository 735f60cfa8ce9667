import type { Alarm } from './alarm.ts';
import type { Monitor } from './monitor.ts';
import type { Sighting } from './sighting.ts';

/** Hands calls over as the thread of the monitors does, some at a time. */
export function feed(monitor: Monitor, calls: readonly Sighting[]): readonly Alarm[] {
  const alarms: Alarm[] = [];
  for (let at = 0; at < calls.length; at += 256) alarms.push(...monitor.see(calls.slice(at, at + 256)));
  return alarms;
}

/** Whether a state holds figures that a page can draw. */
export function isSound({ score, series, parts }: ReturnType<Monitor['state']>): boolean {
  const times = series.map(([at]) => at);
  return (
    (score === undefined || Number.isFinite(score)) &&
    series.every(([at, value]) => Number.isFinite(at) && Number.isFinite(value)) &&
    parts.every((part) => Number.isFinite(part.score)) &&
    times.every((at, i) => i === 0 || at >= times[i - 1]!)
  );
}
