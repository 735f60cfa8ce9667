import { percent } from '../../parts/format.ts';

/** A line of accuracies with their intervals. */
export interface IntervalLine {
  readonly name: string;
  readonly tone: 'held' | 'changed' | 's1' | 's2' | 's3' | 's5' | 'rest';
  readonly points: readonly {
    readonly x: number;
    readonly value: number;
    readonly low?: number | undefined;
    readonly high?: number | undefined;
    /** Where the point is. */
    readonly name: string;
  }[];
}

/** As wide as a card is, in its units: less on a phone, so that words stay readable. */
const WIDE = 980;
const NARROW = 480;
const HEIGHT = 280;
const LEFT = 58;
const BOTTOM = 30;
const TOP = 12;
const RIGHT = 20;

/** Accuracies from 0 to 1 over anything, with 95 % intervals. `ticks`: places on the x axis and their words. */
export function IntervalChart({
  label,
  lines,
  ticks,
}: {
  readonly label: string;
  readonly lines: readonly IntervalLine[];
  readonly ticks: readonly (readonly [x: number, words: string])[];
}) {
  const width = matchMedia('(max-width: 820px)').matches ? NARROW : WIDE;
  const xs = lines.flatMap(({ points }) => points.map(({ x }) => x));
  const low = Math.min(...xs, ...ticks.map(([x]) => x));
  const high = Math.max(...xs, ...ticks.map(([x]) => x));
  const place = (x: number) =>
    high === low
      ? (LEFT + width - RIGHT) / 2
      : LEFT + 12 + ((x - low) / (high - low)) * (width - LEFT - RIGHT - 24);
  const level = (value: number) => TOP + (1 - Math.max(0, Math.min(1, value))) * (HEIGHT - TOP - BOTTOM);
  return (
    <figure class="interval-chart">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={`${label}. ${wordsOf(lines)}`}>
        {[0, 0.25, 0.5, 0.75, 1].map((value) => (
          <g key={value}>
            <line class="grid" x1={LEFT} x2={width - RIGHT} y1={level(value)} y2={level(value)} />
            <text class="tick" x={LEFT - 8} y={level(value) + 4} text-anchor="end">
              {value * 100} %
            </text>
          </g>
        ))}
        {ticks.map(([x, words]) => (
          <text key={`${x}${words}`} class="tick" x={place(x)} y={HEIGHT - 9} text-anchor="middle">
            {words}
          </text>
        ))}
        {lines.map(({ name, tone, points }) => (
          <g key={name} class={`line ${tone}`}>
            <polyline points={points.map(({ x, value }) => `${place(x)},${level(value)}`).join(' ')} />
            {points.map(({ x, value, low: least, high: most, name: where }, i) => (
              <g key={i}>
                {least !== undefined && most !== undefined && (
                  <path
                    class="interval"
                    d={`M${place(x)} ${level(most)}V${level(least)}M${place(x) - 5} ${level(most)}h10M${place(x) - 5} ${level(least)}h10`}
                  />
                )}
                <circle cx={place(x)} cy={level(value)} r="4.2">
                  <title>{`${name}, ${where}: ${percent(value)}${least === undefined ? '' : ` (${percent(least)} to ${percent(most!)})`}`}</title>
                </circle>
              </g>
            ))}
          </g>
        ))}
      </svg>
      {lines.length > 1 && (
        <figcaption class="legend">
          {lines.map(({ name, tone }) => (
            <span class="entry" key={name}>
              <span class={`key ${tone}`} />
              {name}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

function wordsOf(lines: readonly IntervalLine[]): string {
  return lines
    .map(
      ({ name, points }) =>
        `${name}: ${points.map(({ value, name: where }) => `${percent(value)} at ${where}`).join(', ')}`,
    )
    .join('; ');
}
