import { recent } from '../../detect/queries/recent.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';

/** What a monitor says; the desk adds who says it, about which model, and when. */
export interface Word extends Omit<Alarm, 'id' | 'monitor' | 'model' | 'version' | 'digest' | 'kind'> {
  readonly kind?: Alarm['kind'];
}

/** Lets the same thing be said again only when it became worse, or after a while. */
export interface AlarmDesk {
  /** Whether this would be said now: so that words are made only where they are. */
  isDue(subject: string, at: number, score: number): boolean;
  say(word: Word): Alarm;
  /** Takes a subject for said, because another word says it as well. */
  note(subject: string, at: number, score: number): void;
  /** Milliseconds since 1970 of the last alarm. */
  readonly last: () => number;
  /** What was said, of late. */
  keep(): readonly (readonly [subject: string, at: number, score: number])[];
}

/** Milliseconds after which the same is said again, the factor on the score at which it is said at once, and subjects that are remembered. */
const AGAIN = 600_000;
const WORSE = 2;
const MOST = 1024;

/** How grave an attack is: critical when the evidence is far beyond where the alarm began, so that what is done about it can grow with it. */
export function gravity(score: number, threshold: number): 'critical' | 'high' {
  return score > WORSE * threshold ? 'critical' : 'high';
}

/** Principals and decisions of one alarm. */
const MOST_PRINCIPALS = 32;
const MOST_DECISIONS = 64;

/** Opens one for a monitor. */
export function openDesk(
  monitor: string,
  { model, version, digest, freshId }: MonitorSetting,
  kept: readonly (readonly [string, number, number])[] = [],
): AlarmDesk {
  const said = recent<string, { at: number; score: number }>(MOST);
  let last = Number.NEGATIVE_INFINITY;
  for (const [subject, at, score] of kept) said.at(subject, () => ({ at, score }));
  const note = (subject: string, at: number, score: number): void => {
    Object.assign(
      said.at(subject, () => ({ at, score })),
      { at, score },
    );
  };
  return {
    isDue(subject, at, score) {
      const before = said.get(subject);
      return before === undefined || at - before.at > AGAIN || score > WORSE * before.score;
    },
    note,
    say(word) {
      const { subject, at, score, principals, decisions } = word;
      note(subject, at, score);
      last = Math.max(last, at);
      return {
        kind: 'attack',
        ...word,
        ...{ id: freshId(), monitor, model, version, digest },
        principals: principals.slice(0, MOST_PRINCIPALS),
        decisions: [...new Set(decisions)].slice(0, MOST_DECISIONS),
      };
    },
    last: () => last,
    keep: () => [...said.entries()].map(([subject, { at, score }]) => [subject, at, score]),
  };
}
