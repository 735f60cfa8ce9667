import type { AssessmentRow } from '../../src/gateway/console/api.ts';
import { percent } from './format.ts';

type Point = AssessmentRow['robust'][number];

const NAMES: Readonly<Record<string, string>> = { linf: 'Linf', l2: 'L2', l1: 'L1', l0: 'L0' };
const FRAME = { width: 420, height: 216, left: 44, right: 56, top: 12, bottom: 34 };

/** An eps as people write it: `8/255` where it is one of those. */
export function radius(eps: number): string {
  const steps = eps * 255;
  return eps > 0 && eps < 0.3 && Math.abs(steps - Math.round(steps)) < 1e-6 && Math.round(steps) > 0
    ? `${Math.round(steps)}/255`
    : String(Number(eps.toPrecision(3)));
}

/** Robust accuracy against eps, one line a norm, each on its own scale of eps; the band is the 95 % interval. At eps 0 stands the clean accuracy. */
export function RobustnessChart({
  clean,
  points,
}: {
  readonly clean: number | undefined;
  readonly points: readonly Point[];
}) {
  const norms = [...new Set(points.map(({ norm }) => norm))].slice(0, 4);
  if (norms.length === 0) return <p class="none">The assessment has no ball of any norm.</p>;
  const { width, height, left, right, top, bottom } = FRAME;
  const y = (value: number) => Math.round((top + (height - top - bottom) * (1 - value)) * 10) / 10;
  const lines = norms.map((norm, i) => {
    const own = points.filter((point) => point.norm === norm).sort((a, b) => a.eps - b.eps);
    const most = own.at(-1)?.eps ?? 1;
    const x = (eps: number) => Math.round((left + ((width - left - right) * eps) / most) * 10) / 10;
    const start = clean === undefined ? [] : [`${x(0)},${y(clean)}`];
    return {
      norm,
      own,
      x,
      i,
      line: [...start, ...own.map((point) => `${x(point.eps)},${y(point.accuracy)}`)].join(' '),
      band: [
        ...start,
        ...own.map((point) => `${x(point.eps)},${y(point.high)}`),
        ...own.toReversed().map((point) => `${x(point.eps)},${y(point.low)}`),
      ].join(' '),
    };
  });
  const words = lines
    .map(
      ({ norm, own }) =>
        `${NAMES[norm] ?? norm}: ${own.map((point) => `${percent(point.accuracy)} at ${radius(point.eps)}`).join(', ')}`,
    )
    .join('. ');
  const single = lines.length === 1 ? lines[0] : undefined;
  return (
    <svg
      class="robustness"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Robust accuracy against eps. ${clean === undefined ? '' : `Clean: ${percent(clean)}. `}${words}`}
    >
      {[0, 0.5, 1].map((value) => (
        <g key={value}>
          <line
            class={value === 0 ? 'axis' : 'grid'}
            x1={left}
            x2={width - right}
            y1={y(value)}
            y2={y(value)}
          />
          <text class="tick" x={left - 8} y={y(value) + 4} text-anchor="end">{`${value * 100} %`}</text>
        </g>
      ))}
      <text class="tick" x={left} y={height - 12} text-anchor="middle">
        0
      </text>
      {single?.own.map(({ eps }) => (
        <text key={eps} class="tick" x={single.x(eps)} y={height - 12} text-anchor="middle">
          {radius(eps)}
        </text>
      ))}
      {lines.map(({ norm, own, x, i, line, band }) => (
        <g key={norm} class={`s${i}`}>
          <polygon class="band" points={band} />
          <polyline class="course" points={line} />
          {own.map((point) => (
            <circle key={point.eps} class="mark" cx={x(point.eps)} cy={y(point.accuracy)} r="4.5">
              <title>{`${NAMES[norm] ?? norm} ${radius(point.eps)}: ${percent(point.accuracy)} (95 %: ${percent(point.low)} to ${percent(point.high)}), ${point.attacks} attacks`}</title>
            </circle>
          ))}
          <text
            class="name"
            x={width - right + 10}
            y={y(own.at(-1)?.accuracy ?? 0) + 4 - (lines.length - 1 - i) * 2}
          >
            {NAMES[norm] ?? norm.slice(0, 8)}
          </text>
        </g>
      ))}
      {!single && (
        <text class="tick" x={width - right} y={height - 12} text-anchor="end">
          {lines.map(({ norm, own }) => `${NAMES[norm] ?? norm} ${radius(own.at(-1)?.eps ?? 0)}`).join(' · ')}
        </text>
      )}
    </svg>
  );
}
