import type { Assessment, ResultNorm, SecurityCurve } from '../assess/result.ts';
import { count, interval, NORM_NAMES, optionList, percent, radius } from './format.ts';
import { html, type Markup } from './markup.ts';
import { worstCases } from './verdict.ts';

/** One measured point: robust accuracy at an eps, with its interval; all but eps between 0 and 1. */
export interface ChartPoint {
  readonly eps: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A line of the chart: an attack or the worst case, by rising eps; it starts at `clean`, at eps 0. */
export interface ChartLine {
  readonly label: string;
  readonly worst: boolean;
  readonly clean: number;
  readonly points: readonly ChartPoint[];
}

/** Size of a chart in its own units, and where its plotting area lies. */
export interface ChartFrame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** For pages of desktop width. */
export const WIDE: ChartFrame = { width: 1040, height: 380, left: 60, right: 130, top: 18, bottom: 52 };
/** For phones: fewer units across, so that text keeps its size. */
export const NARROW: ChartFrame = { width: 400, height: 340, left: 50, right: 104, top: 14, bottom: 50 };

/** Labels at the right end need this much room each. */
const LABEL_STEP = 17;
const MARKS = 4;

/** The lines for one norm: the attacks in the order of the results, then the worst case. */
export function chartLines(assessment: Assessment, norm: ResultNorm): readonly ChartLine[] {
  const results = assessment.results.filter((each) => each.norm === norm);
  const byAttack = Map.groupBy(results, (each) => `${each.attack} ${optionList(each.options)}`);
  const point = (each: (typeof results)[number] | ReturnType<typeof worstCases>[number]): ChartPoint => ({
    eps: each.eps,
    value: each.robustAccuracy,
    low: each.confidence[0],
    high: each.confidence[1],
  });
  const line = (label: string, worst: boolean, runs: readonly Parameters<typeof point>[0][]): ChartLine => ({
    label,
    worst,
    clean: runs[0]!.cleanAccuracy,
    points: runs.map(point).sort((a, b) => a.eps - b.eps),
  });
  const seen = new Map<string, number>();
  const lines = [...byAttack.values()].map((runs) => {
    const attack = runs[0]!.attack;
    const nth = (seen.get(attack) ?? 0) + 1;
    seen.set(attack, nth);
    return line(nth === 1 ? attack : `${attack} (${nth})`, false, runs);
  });
  const worst = worstCases(assessment).filter((each) => each.norm === norm);
  return worst.length > 0 ? [...lines, line('worst case', true, worst)] : lines;
}

/** The eps up to which a curve is drawn: a little beyond where the attacks' marks end, or where it ends itself. */
const BEYOND = 1.15;

/** The curve of nearest examples as a path of steps inside the frame, in the chart's own units. */
function curvePath(
  curve: SecurityCurve,
  most: number,
  at: (eps: number, value: number) => readonly [number, number],
): string {
  const shown = curve.points.filter(([eps]) => eps <= most);
  const corners = shown.flatMap(([eps, value], i) => {
    const before = shown[i - 1]?.[1] ?? value;
    return [at(eps, before), at(eps, value)];
  });
  const last = shown.at(-1);
  return [...corners, ...(last ? [at(most, last[1])] : [])].map(([x, y]) => `${x},${y}`).join(' ');
}

/** Where `eps` and `value` lie in the frame, to a hundredth of a unit. */
export function position(
  frame: ChartFrame,
  most: number,
  eps: number,
  value: number,
): readonly [x: number, y: number] {
  const across = frame.width - frame.left - frame.right;
  const down = frame.height - frame.top - frame.bottom;
  const x = frame.left + across * (most > 0 ? eps / most : 0);
  const y = frame.top + down * (1 - value);
  return [Math.round(x * 100) / 100, Math.round(y * 100) / 100];
}

/** The positions pushed apart to at least `step`, in the order of the given ones, inside [low, high] if they fit. */
export function spread(
  wanted: readonly number[],
  step: number,
  low: number,
  high: number,
): readonly number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let floor = low;
  for (const i of order) {
    placed[i] = Math.max(floor, wanted[i]!);
    floor = placed[i]! + step;
  }
  let ceiling = high;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i]!, ceiling);
    ceiling = placed[i]! - step;
  }
  return placed;
}

/**
 * Robust accuracy against eps as an SVG: one line an attack and a broad one for the worst case, each from the clean
 * accuracy at eps 0; bars (for the worst case a band) show the 95 % interval.
 */
export function epsChart(
  lines: readonly ChartLine[],
  norm: ResultNorm,
  frame: ChartFrame,
  curve?: SecurityCurve,
): Markup {
  const measured = Math.max(0, ...lines.flatMap((line) => line.points.map((p) => p.eps)));
  const most = curve ? Math.max(measured, Math.min(curve.halving ?? 0, 4 * measured)) * BEYOND : measured;
  const at = (eps: number, value: number) => position(frame, most, eps, value);
  const right = frame.width - frame.right;
  const floor = frame.height - frame.bottom;
  const ends = lines.map((line) => at(most, line.points.at(-1)?.value ?? line.clean)[1]);
  const labels = spread(ends, LABEL_STEP, frame.top + 4, floor);
  const room = Math.floor((frame.right - 14) / 7.2);
  const summary = lines.map(
    (l) => `${l.label}: ${l.points.map((p) => `${percent(p.value)} at ${radius(p.eps)}`).join(', ')}`,
  );
  return html`<svg class="chart" viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="Robust accuracy against eps (${NORM_NAMES[norm]}). ${summary.join('. ')}">
${[0, 0.25, 0.5, 0.75, 1].map((value) => {
  const y = at(0, value)[1];
  return html`<line class="${value === 0 ? 'axis' : 'grid'}" x1="${frame.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick" x="${frame.left - 9}" y="${y + 4.5}" text-anchor="end">${value * 100} %</text>`;
})}
${ticks(lines, most, frame).map((eps) => {
  const x = at(eps, 0)[0];
  return html`<line class="axis" x1="${x}" x2="${x}" y1="${floor}" y2="${floor + 5}"/><text class="tick" x="${x}" y="${floor + 20}" text-anchor="middle">${eps === 0 ? '0' : radius(eps)}</text>`;
})}
<text class="tick" x="${(frame.left + right) / 2}" y="${frame.height - 8}" text-anchor="middle">eps (${NORM_NAMES[norm]}); 0 = no attack</text>
${curve && html`<polyline class="nearest" points="${curvePath(curve, most, at)}"><title>nearest examples that any attack found</title></polyline>`}
${curve?.halving && curve.halving <= most ? halvingMark(curve, at) : null}
${[...lines.keys()].sort((a, b) => Number(lines[b]!.worst) - Number(lines[a]!.worst)).map((i) => chartLine(lines[i]!, i, at))}
${lines.map((line, i) => html`<text class="name ${lineClass(line, i)}" x="${right + 12}" y="${Math.round((labels[i]! + 4.5) * 100) / 100}">${shorten(line.label, room)}<title>${line.label}</title></text>`)}
</svg>`;
}

/** Where half of the right answers are gone. */
function halvingMark(
  { points, halving }: SecurityCurve,
  at: (eps: number, value: number) => readonly [number, number],
): Markup {
  const [x, y] = at(halving!, points[0]![1] / 2);
  return html`<g class="halving"><circle cx="${x}" cy="${y}" r="5.5"/><text class="tick" x="${x + 10}" y="${y - 8}">half at ${radius(halving!)}</text></g>`;
}

function lineClass(line: ChartLine, i: number): string {
  return line.worst ? 'worst' : `s${i % 6}`;
}

function shorten(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Eps values that get a label: 0, the largest, and of the others those with room. */
function ticks(lines: readonly ChartLine[], most: number, frame: ChartFrame): readonly number[] {
  const all = [...new Set(lines.flatMap((line) => line.points.map((p) => p.eps)))]
    .filter((eps) => eps > 0)
    .sort((a, b) => a - b);
  const room = (eps: number) => position(frame, most, eps, 0)[0];
  const kept = [0];
  for (const eps of all) {
    if (eps === most || (room(eps) - room(kept.at(-1)!) >= 46 && room(most) - room(eps) >= 46))
      kept.push(eps);
  }
  return kept;
}

function chartLine(
  line: ChartLine,
  i: number,
  at: (eps: number, value: number) => readonly [number, number],
): Markup {
  const points = line.points.filter((p) => p.eps > 0);
  const path = [at(0, line.clean), ...points.map((p) => at(p.eps, p.value))]
    .map(([x, y]) => `${x},${y}`)
    .join(' ');
  const start = `${at(0, line.clean).join(',')}`;
  const band = [...points.map((p) => at(p.eps, p.high)), ...points.map((p) => at(p.eps, p.low)).reverse()];
  return html`<g class="${lineClass(line, i)}">
${line.worst && html`<polygon class="band" points="${start} ${band.map(([x, y]) => `${x},${y}`).join(' ')}"/>`}
<polyline class="line" points="${path}"/>
${points.map((p) => {
  const [x, y] = at(p.eps, p.value);
  const bar = html`<line class="whisker" x1="${x}" x2="${x}" y1="${at(p.eps, p.high)[1]}" y2="${at(p.eps, p.low)[1]}"/>`;
  return html`<g>${bar}${line.worst ? null : mark(i % MARKS, x, y)}<title>${line.label} at eps ${radius(p.eps)}: ${percent(p.value)} right (95 %: ${interval([p.low, p.high])})</title></g>`;
})}
</g>`;
}

/** Marks differ in shape, so that colour is not needed to tell lines apart. */
function mark(shape: number, x: number, y: number): Markup {
  if (shape === 0) return html`<circle class="mark" cx="${x}" cy="${y}" r="5"/>`;
  if (shape === 1) return html`<rect class="mark" x="${x - 4.5}" y="${y - 4.5}" width="9" height="9"/>`;
  if (shape === 2) return html`<path class="mark" d="M${x} ${y - 6}l5.5 10h-11z"/>`;
  return html`<path class="mark" d="M${x} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z"/>`;
}

/** The section with one chart for each norm. */
export function chartSection(assessment: Assessment): Markup | null {
  const norms = [...new Set(worstCases(assessment).map((each) => each.norm))];
  if (norms.length === 0) return null;
  const n = Math.max(
    ...assessment.results.map((each) => each.n),
    ...assessment.worstCases.map((each) => each.n),
  );
  return html`<section>
<h2>How accuracy falls as the attacker gets more room</h2>
<p class="lead">Share of ${count(n)} answers that stay right. Marks are measured; the lines between them only lead the eye. The worst case counts an answer as right only if every attack failed on it. Bars and the band: 95&nbsp;% confidence. ${assessment.curves?.length && 'The dotted steps join the nearest examples that any attack found.'}</p>
${norms.map((norm) => {
  const lines = chartLines(assessment, norm);
  const curve = assessment.curves?.find((each) => each.norm === norm);
  return html`<figure class="plot"><div class="wide">${epsChart(lines, norm, WIDE, curve)}</div><div class="narrow">${epsChart(lines, norm, NARROW, curve)}</div></figure>`;
})}
</section>`;
}
