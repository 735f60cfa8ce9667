import { ALARM_KINDS, ALARM_SEVERITIES, type Alarm } from '../monitor/alarm.ts';
import { sha256 } from './canonical.ts';
import { cut, MOST_NAME } from './text.ts';

const MOST_TITLE = 300;
const MOST_WHY = 4000;
const MOST_PRINCIPALS = 32;
const MOST_DECISIONS = 64;
const MOST_FIGURES = 64;
const MOST_VALUES = 256;

/**
 * An alarm as it is kept: nothing longer than it may be, no number that JSON cannot hold, whatever a monitor or a caller put into it. One whose id is no id gets
 * the digest of it, so that the same alarm stays the same.
 */
export function boundedAlarm(alarm: Alarm): Alarm {
  const name = (text: unknown) => cut(String(text), MOST_NAME);
  const optional = (text: string | undefined) => (text === undefined ? undefined : name(text));
  const list = (texts: readonly string[], most: number) => texts.slice(0, most).map(name);
  const at = time(alarm.at);
  const first = Math.min(time(alarm.first), at);
  return {
    id: /^[0-9a-f]{32}$/.test(alarm.id) ? alarm.id : sha256(String(alarm.id)).slice(0, 32),
    at,
    monitor: name(alarm.monitor),
    kind: ALARM_KINDS.find((kind) => kind === alarm.kind) ?? 'fault',
    severity: ALARM_SEVERITIES.find((severity) => severity === alarm.severity) ?? 'medium',
    model: name(alarm.model),
    version: optional(alarm.version),
    digest: optional(alarm.digest),
    principals: [...new Set(list(alarm.principals, MOST_PRINCIPALS))],
    subject: cut(alarm.subject, 1000),
    title: cut(alarm.title, MOST_TITLE),
    why: cut(alarm.why, MOST_WHY),
    score: finite(alarm.score),
    threshold: finite(alarm.threshold),
    first,
    last: Math.max(first, time(alarm.last)),
    queries: Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(finite(alarm.queries)))),
    decisions: list(alarm.decisions, MOST_DECISIONS),
    atlas: list(alarm.atlas, MOST_PRINCIPALS),
    figures: Object.fromEntries(
      Object.entries(alarm.figures)
        .slice(0, MOST_FIGURES)
        .map(([key, value]) => [name(key), figure(value)]),
    ),
  };
}

/** A number that JSON holds; one that it does not is told as a word. */
function figure(value: Alarm['figures'][string]): Alarm['figures'][string] {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return cut(value, MOST_WHY);
  const values = value.slice(0, MOST_VALUES);
  return values.every((each) => typeof each === 'number' && Number.isFinite(each))
    ? (values as readonly number[])
    : values.map((each) => cut(String(each), MOST_NAME));
}

function finite(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

/** A time that a 64-bit column and a `Date` hold. */
function time(value: number): number {
  return Math.max(0, Math.min(8.64e15, Math.trunc(finite(value))));
}
