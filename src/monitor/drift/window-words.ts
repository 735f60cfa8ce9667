import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Rows } from './rows.ts';
import { type SpreadMore, spreadOf } from './spread.ts';
import { type WindowWord, windowAlarm } from './window-alarm.ts';
import type { Fault, Verdict } from './window-test.ts';
import type { WindowedSubject } from './windowed-subject.ts';

/** What a monitor that compares windows says of them, and whether it said it a short while ago. */
export interface WindowWords {
  /** A window whose score is above `limit`: drift, or what few callers do. */
  drift(rows: Rows, found: Verdict, limit: number, more: SpreadMore): void;
  /** Something that needs no threshold. `shares`: of each caller in the reference's rows. */
  fault(
    rows: Rows,
    fault: Fault,
    calm: { readonly shares: ReadonlyMap<string, number>; readonly reference: Rows },
  ): void;
  /** Alarms since it was last asked. */
  drain(): readonly Alarm[];
  /** What was said when, in milliseconds: what it is opened with again. */
  said(): [about: string, at: number][];
}

const HOUR = 3_600_000;
/** Most subjects of which is remembered when they were told. */
const MOST_SAID = 512;

/** Opens it: the same is told again after `again` hours at the soonest. */
export function openWindowWords(
  subject: WindowedSubject,
  again: number,
  setting: MonitorSetting,
  kept: readonly (readonly [about: string, at: number])[] = [],
): WindowWords {
  const { name } = subject;
  const said = new Map<string, number>(kept);
  const alarms: Alarm[] = [];
  const isDue = (about: string, at: number): boolean => {
    const before = said.get(about);
    if (before !== undefined && Math.abs(at - before) < HOUR * again) return false;
    if (said.size >= MOST_SAID) said.clear();
    said.set(about, at);
    return true;
  };
  const raise = (rows: Rows, about: string, word: WindowWord, shows: (row: number) => number) =>
    alarms.push(windowAlarm(name, setting, rows, about, word, shows));
  return {
    drift(rows, found, limit, more) {
      const spread = spreadOf(rows, found.excess, more);
      const isFew = spread.principals.length > 0;
      // Drift that goes on must not hide who attacks under it, nor the other way round; and what passes hides neither.
      const about = isFew
        ? `${spread.kind === 'attack' ? '' : 'drift of '}few ${spread.principals.join(' ')}`
        : spread.isPassing
          ? 'passing'
          : 'drift';
      if (!isDue(about, rows.at[rows.n - 1]!)) return;
      const because = `The score ${found.score.toFixed(1)} (−log₁₀ p of ${rows.n} rows) is above ${limit.toFixed(1)}.`;
      raise(
        rows,
        spread.kind === 'attack' ? `${name} by few callers` : isFew ? `${name} of few callers` : name,
        {
          ...{ kind: spread.kind, principals: spread.principals, title: subject.title(found.what) },
          ...{
            why: `${found.why} ${because} ${spread.why} ${subject.advice}`.trim(),
            score: found.score,
            threshold: limit,
          },
          figures: { ...found.figures, ...spread.figures },
        },
        (row) => found.excess[row]!,
      );
    },
    fault(rows, fault, { shares, reference }) {
      if (!isDue(fault.subject, rows.at[rows.n - 1]!)) return;
      const excess = Float64Array.from({ length: rows.n }, (_, i) => (fault.shows(i) ? 1 : 0));
      const spread = spreadOf(rows, excess, {
        calmShare: (who) => shares.get(who) ?? 0,
        scoreOfRest(rest) {
          const still = subject
            .test(reference)
            .test(rest)
            .faults.some((each) => each.subject === fault.subject);
          return still ? 300 : 0;
        },
      });
      const isAttack = spread.kind === 'attack';
      raise(
        rows,
        `${name}: ${fault.subject}`,
        {
          ...{ kind: isAttack ? 'attack' : 'fault', principals: spread.principals, title: fault.title },
          why: `${fault.why} ${isAttack ? spread.why : `It is like a fault on the way here: ${spread.figures.callers} callers sent these rows.`}`,
          ...{ score: 1, threshold: 0, figures: spread.figures },
        },
        (row) => excess[row]!,
      );
    },
    drain: () => alarms.splice(0),
    said: () => [...said],
  };
}
