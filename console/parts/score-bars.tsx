import { percent } from './format.ts';
import { Text } from './text.tsx';

/** A score of something by one voice or several, one bar each. */
export interface Scored {
  readonly id: string;
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly tone: 'held' | 'changed' | 'rest' | 's5' }[];
  /** The one that counts: set in bold. */
  readonly strong?: boolean;
}

/** Scores in [0, 1] as bars: the last value of each row is written beside it. `label` says whose scores they are. */
export function ScoreBars({ label, rows }: { readonly label: string; readonly rows: readonly Scored[] }) {
  return (
    <ul class="score-bars" aria-label={label}>
      {rows.map(({ id, name, values, strong }) => (
        <li key={id} class={strong ? 'strong' : ''}>
          <span class="name">
            <Text of={name} most={40} />
          </span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect class="empty" x="0" y="0" width="100" height="10" />
            {values.map(({ value, tone }, i) => (
              <rect
                key={i}
                class={tone}
                x="0"
                y={(i * 10) / values.length}
                width={100 * Math.max(0, Math.min(1, value))}
                height={10 / values.length}
              />
            ))}
          </svg>
          <span class="value">{percent(values.at(-1)?.value ?? Number.NaN)}</span>
        </li>
      ))}
    </ul>
  );
}
