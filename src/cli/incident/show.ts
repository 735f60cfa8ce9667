import type { CaseDetail, Page } from '../../gateway/console/api.ts';
import type { Case, CaseEvent } from '../../incident/case.ts';
import { whom } from '../../incident/wish.ts';
import { visible } from '../../report/markup.ts';

/** A case in a line. Strings of callers are made visible by the caller of this. */
export function caseLine({
  id,
  severity,
  kind,
  state,
  title,
  alarms,
  principals,
  containedAfter,
}: Case): string {
  const who = principals.slice(0, 3).join(', ');
  const held = containedAfter === undefined ? '' : `, contained after ${spanOf(containedAfter)}`;
  return `${id}  ${severity} ${kind}  ${state}  ${title}  (${alarms} alarms${who === '' ? '' : `, ${who}`}${held})`;
}

/** Lines of text that anybody may have written: what is not plain shows as it is, each on its own line. */
export function lines(all: readonly string[]): string {
  return all.map((line) => `${visible(line).replaceAll('\n', '\ufffd')}\n`).join('');
}

/** `glacis incident list`. */
export function listText({ rows, next }: Page<Case>): string {
  const more = next === undefined ? [] : [`more with --before ${next}`];
  return lines([...rows.map(caseLine), ...(rows.length === 0 ? ['no cases'] : []), ...more]);
}

/** `glacis incident show`. */
export function caseText({ case: of, events, orders, suggestions, decisions }: CaseDetail): string {
  const inForce = orders.filter(({ ended }) => ended === undefined);
  return lines([
    caseLine(of),
    `models ${of.models.join(', ')}; principals ${of.principals.join(', ') || 'none'}; ${of.atlas.join(', ')}`,
    `queries ${of.queries} from ${timeOf(of.first)} to ${timeOf(of.last)}; owner ${of.owner ?? 'nobody'}; revision ${of.revision}`,
    '',
    ...events.map(
      (event) =>
        `${timeOf(event.at)}  ${event.by}  ${happened(event)}${event.entry === undefined ? '' : `  [entry ${event.entry}]`}`,
    ),
    ...(inForce.length > 0 ? ['', 'in force:'] : []),
    ...inForce.map(
      ({ id, measure, target, until }) =>
        `  ${measure} for ${whom(target)}${until === undefined ? '' : ` until ${timeOf(until)}`}  (${id})`,
    ),
    ...(suggestions.length > 0 ? ['', 'what could be done:'] : []),
    ...suggestions.map(
      ({ title, needsApproval }) => `  ${title}${needsApproval ? ' (takes two persons)' : ''}`,
    ),
    ...(decisions.length > 0 ? ['', 'decisions that show it:'] : []),
    ...decisions.map(
      ({ entry, at, principal, model, outcome, id }) =>
        `  ${entry}  ${timeOf(at)}  ${principal ?? 'nobody'}  ${model}  ${outcome}  ${id}`,
    ),
  ]);
}

function happened({ what }: CaseEvent): string {
  switch (what.kind) {
    case 'alarm':
      return `alarm ${what.alarm.monitor} (${what.alarm.severity}): ${what.alarm.title}. ${what.alarm.why}${what.again > 0 ? ` (and ${what.again} times again)` : ''}`;
    case 'state':
      return `${what.from} → ${what.to}${what.verdict === undefined ? '' : `: ${what.verdict}`}`;
    case 'owner':
      return what.to === undefined ? 'nobody owns it' : `owner ${what.to}`;
    case 'comment':
      return what.text;
    case 'asked':
      return `asks for a second person: ${what.wish ? `${what.wish.measure} for ${whom(what.wish.target)}` : `the end of ${what.lift}`} (act ${what.act})`;
    case 'approved':
    case 'declined':
      return `${what.kind} act ${what.act}`;
    case 'measure':
      return `${what.measure} for ${what.about} (${what.order})`;
    case 'lifted':
      return `ended ${what.measure} for ${what.about}`;
    case 'impact':
      return `${what.decisions} decisions affected${what.different === undefined ? '' : `, ${what.different} would have been different`}`;
    case 'bundle':
      return `evidence ${what.digest}`;
  }
}

/** A time, to the second. */
export function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A length of time in the largest unit that fits. */
export function spanOf(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds < 7_200_000) return `${(milliseconds / 60_000).toFixed(1)} min`;
  return `${(milliseconds / 3_600_000).toFixed(1)} h`;
}
