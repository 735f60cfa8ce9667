import type { Alarm } from '../monitor/alarm.ts';
import { type LostThread, lostText } from './backend/lost-threads.ts';

/** The monitor that raises it. */
const MONITOR = 'runtime';

/** An alarm for a run that does not end: an input may have been made for it, or a model is too slow for the time that it is given. */
export function lostThreadAlarm(
  lost: LostThread,
  { id, now }: { readonly id: string; readonly now: number },
): Alarm {
  const { model, version, digest, timeout, most, isReplaced } = lost;
  return {
    ...{ id, at: now, monitor: MONITOR, kind: 'fault', model, version, digest },
    severity: isReplaced ? 'high' : 'critical',
    principals: [],
    subject: `runs of ${model} that do not end`,
    title: isReplaced
      ? `A run of ${model} does not end; a fresh thread took its place`
      : `A run of ${model} does not end, and no more threads are replaced`,
    why: `${lostText(lost)}. Its callers got "late": decisions of ${model} with that outcome, ${Math.round(timeout / 1000)} seconds or more before this alarm, show who sent what it was busy with. An input can keep a model busy for ever where it says how often a loop runs.`,
    score: lost.lost,
    threshold: most,
    first: now - timeout,
    last: now,
    queries: 1,
    decisions: [],
    atlas: ['AML.T0029'],
    figures: { timeout, lost: lost.lost, most },
  };
}
