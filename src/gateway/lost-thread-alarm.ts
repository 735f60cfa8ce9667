import type { Alarm } from '../monitor/alarm.ts';
import { type LostThread, lostText } from './backend/lost-threads.ts';

/** The monitor that raises it. */
const MONITOR = 'runtime';

/**
 * An alarm for a run that does not end: an input may have been made for it, or a model is too slow for the time that it is given. It names everybody whose call was in the run: with one caller, that is
 * who sent it; with several, one of them is.
 */
export function lostThreadAlarm(
  lost: LostThread,
  { id, now }: { readonly id: string; readonly now: number },
): Alarm {
  const { model, version, digest, timeout, most, isReplaced, by } = lost;
  const principals = [...new Set(by.map(({ principal }) => principal))];
  return {
    ...{ id, at: now, monitor: MONITOR, kind: 'fault', model, version, digest },
    severity: isReplaced ? 'high' : 'critical',
    principals,
    subject: `runs of ${model} that do not end`,
    title: isReplaced
      ? `A run of ${model} does not end; a fresh thread took its place`
      : `A run of ${model} does not end, and no more threads are replaced`,
    why: `${lostText(lost)}. ${whose(by.length, principals.length)} An input can keep a model busy for ever where it says how often a loop runs.`,
    score: lost.lost,
    threshold: most,
    first: now - timeout,
    last: now,
    queries: Math.max(1, by.length),
    decisions: by.map(({ decision }) => decision),
    atlas: ['AML.T0029'],
    figures: { timeout, lost: lost.lost, most },
  };
}

function whose(calls: number, callers: number): string {
  if (calls === 0) return 'It was no caller’s: a question of the gateway’s own, such as a guard’s.';
  if (callers === 1)
    return `In it ${calls === 1 ? 'was a call' : `were ${calls} calls`} of one caller, who got "late".`;
  return `In it were ${calls} calls of ${callers} callers together, who got "late": one of them is what it does not end for, and the others are not to blame.`;
}
