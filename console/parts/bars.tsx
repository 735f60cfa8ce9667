import { percent } from './format.ts';
import { plainText } from './text.tsx';

interface Part {
  readonly name: string;
  readonly value: number;
  readonly tone: 'held' | 'changed' | 'warn' | 'rest' | 's0' | 's1' | 's2' | 's3' | 's4' | 's5';
}

/** What became of a whole: one bar cut into parts, with its legend. Parts of 0 are left out of the bar, not of the legend. */
export function StackedBar({
  parts,
  label,
  legend = true,
  thin = false,
}: {
  readonly parts: readonly Part[];
  readonly label: string;
  readonly legend?: boolean;
  readonly thin?: boolean;
}) {
  const all = parts.reduce((sum, { value }) => sum + value, 0);
  const words = parts.map(({ name, value }) => `${name} ${value.toLocaleString('en-US')}`).join(', ');
  let x = 0;
  return (
    <div class="stacked">
      <svg
        class={`stack${thin ? ' thin' : ''}`}
        viewBox="0 0 100 10"
        preserveAspectRatio="none"
        role="img"
        aria-label={plainText(`${label}: ${words}`)}
      >
        {all === 0 && <rect class="empty" x="0" y="0" width="100" height="10" />}
        {parts.map(({ name, value, tone }) => {
          if (value <= 0) return null;
          const width = (value / all) * 100;
          const rect = (
            <rect
              key={name}
              class={tone}
              x={x}
              y="0"
              width={Math.max(0.2, width - (width > 1 ? 0.25 : 0))}
              height="10"
            >
              <title>{`${name}: ${value.toLocaleString('en-US')} (${percent(value / all)})`}</title>
            </rect>
          );
          x += width;
          return rect;
        })}
      </svg>
      {legend && (
        <p class="legend">
          {parts.map(({ name, value, tone }) => (
            <span class="entry" key={name}>
              <span class={`key ${tone}`} />
              {value.toLocaleString('en-US')} {name}
            </span>
          ))}
        </p>
      )}
    </div>
  );
}

/** How much of something is used: 0 to 1. */
export function Meter({
  value,
  label,
  tone = 'held',
}: {
  readonly value: number;
  readonly label: string;
  readonly tone?: 'held' | 'changed' | 'warn';
}) {
  const part = Math.max(0, Math.min(1, Number.isFinite(value) ? value : 0));
  return (
    <svg
      class="meter"
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      role="img"
      aria-label={plainText(`${label}: ${percent(part)}`)}
    >
      <rect class="empty" x="0" y="0" width="100" height="8" />
      <rect class={tone} x="0" y="0" width={part * 100} height="8" />
    </svg>
  );
}
