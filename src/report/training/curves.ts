import type { TrainingRecord } from '../../train/record.ts';
import { type ChartFrame, spread } from '../eps-chart.ts';
import { percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** A figure over the epochs; `undefined` where it was not measured. */
export interface Curve {
  readonly label: string;
  /** Class of the style: its colour. */
  readonly colour: string;
  /** Measured in training, on what is learned: drawn dashed. */
  readonly isTraining: boolean;
  readonly values: readonly (number | undefined)[];
}

/** For pages of desktop width, and for phones. */
const WIDE: ChartFrame = { width: 1040, height: 340, left: 60, right: 210, top: 18, bottom: 52 };
const NARROW: ChartFrame = { width: 400, height: 320, left: 50, right: 160, top: 14, bottom: 50 };

/** Labels at the right end need this much room each. */
const LABEL_STEP = 17;

/** Loss over the epochs: in training, and on the validation samples. */
export function lossCurves({ epochs }: TrainingRecord): readonly Curve[] {
  return measured([
    { label: 'training', colour: 's4', isTraining: true, values: epochs.map((e) => e.loss) },
    { label: 'validation', colour: 's4', isTraining: false, values: epochs.map((e) => e.validation?.loss) },
  ]);
}

/** Shares of right answers over the epochs: as the samples are, and attacked. */
export function accuracyCurves({ epochs }: TrainingRecord): readonly Curve[] {
  return measured([
    { label: 'training', colour: 's4', isTraining: true, values: epochs.map((e) => e.accuracy) },
    {
      label: 'validation',
      colour: 's4',
      isTraining: false,
      values: epochs.map((e) => e.validation?.accuracy),
    },
    { label: 'training, attacked', colour: 's0', isTraining: true, values: epochs.map((e) => e.robust) },
    {
      label: 'under FGSM',
      colour: 's2',
      isTraining: false,
      values: epochs.map((e) => e.validation?.fgsm),
    },
    {
      label: 'under PGD',
      colour: 's0',
      isTraining: false,
      values: epochs.map((e) => e.validation?.robust),
    },
  ]);
}

/** Norms of the samples' gradients in private training, and where they are clipped. */
export function normCurves({ epochs }: TrainingRecord): readonly Curve[] {
  return measured([
    { label: 'mean norm', colour: 's4', isTraining: true, values: epochs.map((e) => e.norm) },
    { label: 'clipped at', colour: 's0', isTraining: true, values: epochs.map((e) => e.clip) },
  ]);
}

/** All charts that there is something for, each in a form for desktops and one for phones. */
export function curvesSection(record: TrainingRecord): Markup {
  const [losses, accuracies, norms] = [lossCurves(record), accuracyCurves(record), normCurves(record)];
  if ([...losses, ...accuracies].length === 0) return html``;
  const amounts = (curves: readonly Curve[]): Scale => {
    const top = niceAbove(Math.max(0, ...curves.flatMap(({ values }) => values.map((v) => v ?? 0))));
    return { top, ticks: [0, 0.25, 0.5, 0.75, 1].map((t) => t * top), written: figure, said: figure };
  };
  const kept = record.outcome.epoch;
  const plot = (curves: readonly Curve[], what: string, scale: Scale) =>
    html`<h3>${what}</h3><figure class="plot"><div class="wide">${chart(curves, what, scale, kept, WIDE)}</div><div class="narrow">${chart(curves, what, scale, kept, NARROW)}</div></figure>`;
  return html`<section class="learning">
<h2>How it learned</h2>
<p class="lead">Dashed lines were measured while training, on samples as the network saw them and before each step; full lines on samples that it does not learn from, after each epoch. The upright line marks the epoch whose weights the file has.</p>
${accuracies.length > 0 && plot(accuracies, 'Right answers', { top: 1, ticks: [0, 0.25, 0.5, 0.75, 1], written: (v) => `${v * 100} %`, said: percent })}
${losses.length > 0 && plot(losses, 'Loss', amounts(losses))}
${norms.length > 0 && plot(norms, 'Gradients of samples', amounts(norms))}
</section>`;
}

interface Scale {
  readonly top: number;
  readonly ticks: readonly number[];
  readonly written: (value: number) => string;
  readonly said: (value: number) => string;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function measured(curves: readonly Curve[]): readonly Curve[] {
  return curves.filter(({ values }) => values.some((v) => v !== undefined));
}

/** The next of 1, 2, 4, 8 times a power of ten, so that quarters are short. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 8].find((factor) => factor * power >= value) ?? 10);
}

function chart(
  curves: readonly Curve[],
  what: string,
  scale: Scale,
  kept: number,
  frame: ChartFrame,
): Markup {
  const { width, height, left, top } = frame;
  const [right, floor] = [width - frame.right, height - frame.bottom];
  const n = Math.max(...curves.map(({ values }) => values.length));
  const round = (v: number) => Math.round(v * 100) / 100;
  const across = (epoch: number) =>
    round(n === 1 ? (left + right) / 2 : left + ((right - left) * epoch) / (n - 1));
  const up = (value: number) =>
    round(top + (floor - top) * (1 - Math.min(1, Math.max(0, value / scale.top))));
  const ends = curves.map(({ values }) => up(values.findLast((v) => v !== undefined)!));
  const labels = spread(ends, LABEL_STEP, top + 4, floor);
  const summary = curves.map(
    ({ label, values }) => `${label}: ${scale.said(values.findLast((v) => v !== undefined)!)}`,
  );
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${what} over ${n} epochs; at the end ${summary.join(', ')}">
${scale.ticks.map((value) => html`<line class="${value === 0 ? 'axis' : 'grid'}" x1="${left}" x2="${right}" y1="${up(value)}" y2="${up(value)}"/><text class="tick" x="${left - 9}" y="${up(value) + 4.5}" text-anchor="end">${scale.written(value)}</text>`)}
${epochTicks(n, (right - left) / 46).map((epoch) => html`<text class="tick" x="${across(epoch)}" y="${floor + 20}" text-anchor="middle">${epoch + 1}</text>`)}
<text class="tick" x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">epoch</text>
<line class="kept" x1="${across(kept)}" x2="${across(kept)}" y1="${top}" y2="${floor}"><title>the weights in the file are those after epoch ${kept + 1}</title></line>
${curves.map((curve) => line(curve, scale, across, up))}
${curves.map(({ label, colour }, i) => html`<text class="name ${colour}" x="${right + 12}" y="${round(labels[i]! + 4.5)}">${label}</text>`)}
</svg>`;
}

function line(
  { label, colour, isTraining, values }: Curve,
  { said }: Scale,
  across: (epoch: number) => number,
  up: (value: number) => number,
): Markup {
  const points = values.flatMap((v, epoch) => (v === undefined ? [] : [[across(epoch), up(v)] as const]));
  const last = points.at(-1)!;
  return html`<g class="${colour} ${isTraining ? 'in-training' : 'held-out'}"><polyline class="line" points="${points.map(([x, y]) => `${x},${y}`).join(' ')}"/><circle class="mark" cx="${last[0]}" cy="${last[1]}" r="4.5"/><title>${label}, last: ${said(values.findLast((v) => v !== undefined)!)}</title></g>`;
}

/** Epochs that get a number: the first, the last, and between them as many as there is room for. */
function epochTicks(n: number, room: number): readonly number[] {
  const step = Math.max(1, Math.ceil((n - 1) / Math.max(1, Math.floor(room))));
  const all = Array.from({ length: n }, (_, i) => i).filter((i) => i % step === 0);
  const last = all.at(-1)!;
  if (last === n - 1) return all;
  return n - 1 - last > step / 2 ? [...all, n - 1] : [...all.slice(0, -1), n - 1];
}
