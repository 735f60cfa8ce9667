import type { PastAnalysis } from '../../monitor/past/analyse-past.ts';
import { visible } from '../markup.ts';
import { blindOf, callersOf, headlineOf, labelsOf } from './words.ts';

/** Alarms that are shown. */
const SHOWN = 20;

/** What monitors found in past decisions, for a terminal. What callers chose is shown without controls. */
export function renderMonitorText(analysis: PastAnalysis): string {
  const { alarms, counts, skipped, first, last } = analysis;
  const lines = [headlineOf(analysis)];
  if (first !== undefined && last !== undefined) lines.push(`From ${timeOf(first)} to ${timeOf(last)}.`);
  if (skipped > 0) lines.push(`${skipped} lines were no decision, or of another model.`);
  lines.push(...[...callersOf(analysis), ...labelsOf(analysis)].map(one));
  if (counts.length > 0) {
    lines.push('');
    for (const { monitor, kind, severity, count } of counts)
      lines.push(`${String(count).padStart(7)}  ${monitor} (${kind}, ${severity})`);
  }
  if (alarms.length > 0) lines.push('');
  for (const { at, severity, title, why } of alarms.slice(0, SHOWN)) {
    lines.push(`${timeOf(at)}  ${severity.padEnd(8)}  ${one(title)}`);
    lines.push(`    ${one(why)}`);
  }
  if (alarms.length > SHOWN) lines.push(`… and more: --json and --report have up to a thousand.`);
  const blind = blindOf(analysis);
  if (blind.length > 0) lines.push('', 'Not watched:', ...blind.map((each) => `  ${one(each)}`));
  return `${lines.join('\n')}\n`;
}

const one = (text: string): string => visible(text).replaceAll('\n', ' ').replaceAll('\t', ' ');
const timeOf = (at: number): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
};
