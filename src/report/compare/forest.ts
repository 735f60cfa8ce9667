import type { ContrastVerdict } from '../../assess/compare/comparison.ts';
import { html, type Markup } from '../markup.ts';
import { points, pointsBetween } from './words.ts';

const WIDTH = 190;
const EDGE = 6;

/** The reach of an axis that holds all intervals, the same to both sides of 0; at least a tenth. */
export function reachOf(intervals: readonly (readonly [number, number])[]): number {
  return Math.max(0.1, ...intervals.flat().map(Math.abs));
}

/** A difference as a dot, with its interval as a line, on an axis from −reach to reach with a mark at 0. */
export function forest(
  difference: number,
  interval: readonly [low: number, high: number],
  reach: number,
  verdict: ContrastVerdict | undefined,
): Markup {
  const at = (d: number) => Math.round((WIDTH / 2 + (d / reach) * (WIDTH / 2 - EDGE)) * 10) / 10;
  const kind = verdict === 'higher' || verdict === 'lower' ? verdict : 'open';
  return html`<svg class="forest ${kind}" viewBox="0 0 ${WIDTH} 20" role="img" aria-label="${points(difference)} points, ${pointsBetween(interval)}"><line class="zero" x1="${WIDTH / 2}" x2="${WIDTH / 2}" y1="1" y2="19"/><line class="span" x1="${at(interval[0])}" x2="${at(interval[1])}" y1="10" y2="10"/><circle class="dot" cx="${at(difference)}" cy="10" r="4.5"/></svg>`;
}
