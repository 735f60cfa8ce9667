import { figure } from './format.ts';

/** A line without axes: the course of one figure. `label` names the figure; its beginning, end and extremes are told to a screen reader. */
export function Sparkline({
  values,
  label,
  tone = 'held',
  threshold,
}: {
  readonly values: readonly number[];
  readonly label: string;
  readonly tone?: 'held' | 'changed';
  readonly threshold?: number | undefined;
}) {
  const good = values.filter(Number.isFinite);
  if (good.length < 2) return <span class="none">no course yet</span>;
  const low = Math.min(0, ...good);
  const high = Math.max(...good, threshold ?? low, low + 1e-12);
  const x = (i: number) => Math.round((i / (values.length - 1)) * 1000) / 10;
  const y = (value: number) => Math.round((1 - (value - low) / (high - low)) * 260 + 20) / 10;
  const line = values
    .map((value, i) => (Number.isFinite(value) ? `${x(i)},${y(value)}` : ''))
    .filter(Boolean);
  return (
    <svg
      class={`sparkline ${tone}`}
      viewBox="0 0 100 30"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: from ${figure(good[0]!)} to ${figure(good.at(-1)!)}, between ${figure(Math.min(...good))} and ${figure(Math.max(...good))}`}
    >
      <polygon class="area" points={`0,${y(low)} ${line.join(' ')} 100,${y(low)}`} />
      {threshold !== undefined && (
        <line class="threshold" x1="0" x2="100" y1={y(threshold)} y2={y(threshold)} />
      )}
      <polyline class="stroke" points={line.join(' ')} />
    </svg>
  );
}
