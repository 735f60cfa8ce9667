import { figure, percent } from './format.ts';
import { plainText } from './text.tsx';

/** How often values fell into each bin, then (behind, grey) and now. Counts may differ in size: both are drawn as shares of their own sum. */
export function Histogram({
  name,
  bins,
  reference,
  current,
}: {
  readonly name: string;
  /** Edges, one more than there are bins; or as many names as there are bins. */
  readonly bins: readonly number[] | undefined;
  readonly reference: readonly number[];
  readonly current: readonly number[];
}) {
  const n = Math.min(reference.length, current.length);
  const before = shares(reference.slice(0, n));
  const now = shares(current.slice(0, n));
  const most = Math.max(1e-9, ...before, ...now);
  const width = 200 / Math.max(1, n);
  const widest = now.reduce(
    (best, value, i) => (Math.abs(value - before[i]!) > Math.abs(now[best]! - before[best]!) ? i : best),
    0,
  );
  const bar = (value: number) => Math.round((value / most) * 560) / 10;
  return (
    <svg
      class="histogram"
      viewBox="0 0 200 72"
      preserveAspectRatio="none"
      role="img"
      aria-label={plainText(
        `${name}: the most different bin, ${binName(bins, widest, n)}, held ${percent(before[widest] ?? 0)} before and holds ${percent(now[widest] ?? 0)} now`,
      )}
    >
      {before.map((value, i) => (
        <rect
          key={`b${i}`}
          class="before"
          x={i * width}
          y={60 - bar(value)}
          width={width}
          height={bar(value)}
        />
      ))}
      {now.map((value, i) => (
        <rect
          key={`n${i}`}
          class="now"
          x={i * width + width * 0.22}
          y={60 - bar(value)}
          width={width * 0.56}
          height={bar(value)}
        >
          <title>{`${binName(bins, i, n)}: ${percent(before[i]!)} before, ${percent(value)} now`}</title>
        </rect>
      ))}
      <line class="axis" x1="0" x2="200" y1="60" y2="60" />
    </svg>
  );
}

/** The ends of the axis below a histogram. */
export function HistogramAxis({
  bins,
  n,
}: {
  readonly bins: readonly number[] | undefined;
  readonly n: number;
}) {
  if (bins === undefined || bins.length < n) return null;
  return (
    <p class="histogram-axis" aria-hidden="true">
      <span>{figure(bins[0]!)}</span>
      <span>{figure(bins.at(-1)!)}</span>
    </p>
  );
}

function shares(counts: readonly number[]): readonly number[] {
  const good = counts.map((count) => (Number.isFinite(count) && count > 0 ? count : 0));
  const all = good.reduce((sum, count) => sum + count, 0);
  return good.map((count) => (all === 0 ? 0 : count / all));
}

function binName(bins: readonly number[] | undefined, i: number, n: number): string {
  if (bins === undefined) return `bin ${i + 1}`;
  return bins.length > n ? `${figure(bins[i]!)} to ${figure(bins[i + 1]!)}` : figure(bins[i] ?? i);
}
