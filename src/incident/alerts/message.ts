import type { Alarm, AlarmSeverity } from '../../monitor/alarm.ts';
import { ALARM_SEVERITIES } from '../../monitor/alarm.ts';
import type { Case } from '../case.ts';
import type { IncidentChange } from '../change.ts';
import { cut, MOST_NAME } from '../text.ts';

/** What a receiver is asked to do: begin, learn more, note that somebody is at it, end; `test` shows that the way is open. */
export type AlertAction = 'trigger' | 'update' | 'acknowledge' | 'resolve' | 'test';

/** What is said about a case. Plain data, kept in the store; strings of callers in it are as they came: each channel escapes them. */
export interface AlertMessage {
  readonly action: AlertAction;
  readonly case: Omit<Case, 'revision'>;
  /** The alarm behind it, without figures. */
  readonly alarm?: Pick<Alarm, 'id' | 'monitor' | 'why' | 'score' | 'threshold' | 'decisions'> | undefined;
  /** What happened since the last message, the oldest first. */
  readonly news: readonly string[];
  /** News that found no room. */
  readonly more: number;
  /** Where a person looks at it. */
  readonly link: string;
}

const MOST_NEWS = 20;
const MOST_LINE = 500;
const MOST_LISTED = 32;
const MOST_TITLE = 300;
const MOST_WHY = 2000;

/** Whether one severity is as bad as another, or worse. */
export function isAsBad(severity: AlarmSeverity, least: AlarmSeverity): boolean {
  return ALARM_SEVERITIES.indexOf(severity) <= ALARM_SEVERITIES.indexOf(least);
}

/** What a change in a case says to those who are told; undefined where it is nothing for them, such as a comment. */
export function messageFrom(change: IncidentChange, base: string): AlertMessage | undefined {
  const about = (action: AlertAction, line: string): AlertMessage => ({
    action,
    case: bounded(change.case),
    news: [cut(line, MOST_LINE)],
    more: 0,
    link: linkTo(change.case.id, base),
  });
  if (change.kind === 'alarm') {
    if (!change.isNew) return undefined;
    const { id, monitor, why, score, threshold, decisions } = change.alarm;
    return {
      ...about('trigger', change.alarm.title),
      alarm: {
        id,
        monitor,
        why: cut(why, MOST_WHY),
        score,
        threshold,
        decisions: decisions.slice(0, MOST_LISTED),
      },
    };
  }
  const { what, by } = change.event;
  switch (what.kind) {
    case 'state':
      if (what.to === 'closed') return about('resolve', `closed by ${by}: ${what.verdict ?? 'no verdict'}`);
      if (what.from === 'closed') return about('trigger', `open again, by ${by}`);
      return about(what.to === 'working' ? 'acknowledge' : 'update', `${what.to}, by ${by}`);
    case 'owner':
      return about(
        what.to === undefined ? 'update' : 'acknowledge',
        what.to === undefined ? `nobody’s any more, by ${by}` : `taken by ${what.to}`,
      );
    case 'measure':
    case 'lifted':
      return about(
        'update',
        `${what.kind === 'measure' ? 'in force' : 'lifted'}: ${what.measure}, ${what.about}, by ${by}`,
      );
    case 'asked':
      return about('trigger', 'a second person must approve what is to be done');
    case 'comment':
      // What could not be done without a person, or would have been in a dry run; what people write to each other stays between them.
      return by === 'glacis' ? about(what.urgent ? 'trigger' : 'update', what.text) : undefined;
    case 'impact':
      return about(
        'update',
        `${what.decisions} decisions affected${what.different === undefined ? '' : `, ${what.different} would have been different`}`,
      );
    default:
      return undefined;
  }
}

/** A message that is still waiting, with what has happened since. What asks for more wins: `resolve`, `trigger`, `acknowledge`, `update`. */
export function joined(before: AlertMessage, after: AlertMessage): AlertMessage {
  const news = [...before.news, ...after.news];
  return {
    ...after,
    action: after.action === 'update' ? before.action : after.action,
    alarm: after.alarm ?? before.alarm,
    news: news.slice(0, MOST_NEWS),
    more: before.more + after.more + Math.max(0, news.length - MOST_NEWS),
  };
}

/** A case that is still open, for who was never told of it. */
export function messageOfCase(found: Case, base: string): AlertMessage {
  return {
    action: 'trigger',
    case: bounded(found),
    news: [cut(found.title, MOST_LINE)],
    more: 0,
    link: linkTo(found.id, base),
  };
}

/** What the test button sends. */
export function testMessage(id: string, by: string, at: number, base: string): AlertMessage {
  return {
    action: 'test',
    case: {
      ...{
        id,
        title: 'A test of this channel',
        kind: 'fault',
        severity: 'low',
        state: 'closed',
      },
      ...{ opened: at, updated: at, closed: at, first: at, last: at, queries: 0, alarms: 0 },
      ...{ models: [], principals: [], atlas: [] },
    },
    news: [cut(`a test, asked for by ${by}; nothing happened`, MOST_LINE)],
    more: 0,
    link: `${base}/console/`,
  };
}

function bounded({ revision: _, ...rest }: Case): AlertMessage['case'] {
  const names = (list: readonly string[]) => list.slice(0, MOST_LISTED).map((each) => cut(each, MOST_NAME));
  return {
    ...rest,
    title: cut(rest.title, MOST_TITLE),
    models: names(rest.models),
    principals: names(rest.principals),
    atlas: names(rest.atlas),
  };
}

function linkTo(id: string, base: string): string {
  return `${base}/console/cases/${encodeURIComponent(id)}`;
}

/** What no quiet hours hold back. */
export function isLoud({ action, case: about }: AlertMessage): boolean {
  return about.severity === 'critical' || action === 'test' || about.id.startsWith('test-');
}
