import { canonical, sha256 } from './canonical.ts';
import type { CaseEvent } from './case.ts';

/** What the log is told: the shape of its events, with plain values alone. */
export interface LedgerEvent {
  readonly kind: 'event';
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  readonly by: string;
  readonly about: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/**
 * Hexadecimal SHA-256 over everything that an event of a case says: the log holds it, so that what the store holds can be checked against the log. How often an
 * alarm came again is left out: it goes on being counted.
 */
export function eventDigest({ id, case: of, at, by, what }: Omit<CaseEvent, 'entry'>): string {
  const said = what.kind === 'alarm' ? { kind: 'alarm', alarm: what.alarm } : what;
  return sha256(canonical({ id, case: of, at, by, what: said }));
}

/** What the log is told of an event of a case, before it counts. */
export function ledgerEvent(event: Omit<CaseEvent, 'entry'>): LedgerEvent {
  const { id, at, by, what } = event;
  return {
    kind: 'event',
    at,
    event: `case-${what.kind}`,
    by,
    about: { case: event.case, id, digest: eventDigest(event), ...plainOf(what) },
  };
}

/** Fields in which names of callers stand, or texts that may hold them. */
const NAMES: ReadonlySet<string> = new Set(['principals', 'title', 'whom', 'because', 'text']);

/** The same for a log that seals who asked: the digest stands for what is left out. */
export function withoutNames(event: LedgerEvent): LedgerEvent {
  return {
    ...event,
    about: Object.fromEntries(Object.entries(event.about).filter(([name]) => !NAMES.has(name))),
  };
}

/** What people who read the log want to see of it. */
function plainOf(what: CaseEvent['what']): LedgerEvent['about'] {
  switch (what.kind) {
    case 'alarm': {
      const { alarm } = what;
      const { monitor, kind, severity, model, title, score, threshold, queries, first, last } = alarm;
      return {
        alarm: alarm.id,
        ...{ monitor, kind, severity, model, title, score, threshold, queries, first, last },
        principals: alarm.principals,
        // The log cuts lists at 16.
        decisions: alarm.decisions.slice(0, 16),
        atlas: alarm.atlas,
      };
    }
    case 'state':
      return { from: what.from, to: what.to, ...(what.verdict && { verdict: what.verdict }) };
    case 'owner':
      return { to: what.to ?? '' };
    case 'comment':
      return { text: what.text };
    case 'asked':
      return {
        act: what.act,
        ...(what.wish && { measure: what.wish.measure, because: what.wish.because }),
        ...(what.lift && { lift: what.lift }),
      };
    case 'approved':
    case 'declined':
      return { act: what.act };
    case 'measure':
    case 'lifted':
      return { order: what.order, measure: what.measure, whom: what.about };
    case 'impact':
      return {
        decisions: what.decisions,
        ...(what.different !== undefined && { different: what.different }),
      };
    case 'bundle':
      return { bundle: what.digest };
  }
}
