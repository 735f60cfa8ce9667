import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Rows } from './rows.ts';

/** What a monitor says of a window. */
export type WindowWord = Pick<
  Alarm,
  'kind' | 'title' | 'why' | 'score' | 'threshold' | 'figures' | 'principals'
>;

/** Most decisions that an alarm shows. */
const MOST_SHOWN = 64;

/**
 * Makes an alarm about a window.
 *
 * @param monitor its name
 * @param about of the model; alarms with the same are about the same thing
 * @param shows how much each row speaks for it; those that speak most are shown first
 */
export function windowAlarm(
  monitor: string,
  { model, version, digest, freshId }: MonitorSetting,
  rows: Rows,
  about: string,
  word: WindowWord,
  shows: (row: number) => number,
): Alarm {
  const telling = Array.from({ length: rows.n }, (_, i) => i)
    .filter((i) => shows(i) > 0 && (word.kind !== 'attack' || word.principals.includes(rows.principals[i]!)))
    .sort((a, b) => shows(b) - shows(a));
  const [first, last] = [rows.at[0]!, rows.at[rows.n - 1]!];
  return {
    ...{ id: freshId(), at: last, monitor, model, version, digest },
    ...word,
    // Also where few are behind it: clients change what they ask about, and rules act by themselves from high on.
    severity: 'medium',
    subject: `${about} of ${model}`,
    ...{ first, last, queries: rows.n },
    decisions: [...new Set(telling.map((i) => rows.decisions[i]!))].slice(0, MOST_SHOWN),
    atlas: word.kind === 'attack' ? ['AML.T0040'] : [],
  };
}
