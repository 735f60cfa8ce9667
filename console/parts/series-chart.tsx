import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { useStore } from '../data/store.ts';
import { colour, painted } from '../shell/theme.ts';
import { figure } from './format.ts';
import { plainText } from './text.tsx';

/** A line over time. */
export interface Series {
  readonly name: string;
  /** A colour of the style sheet without its dashes: `held`, `changed`, `s1`. */
  readonly tone: string;
  /** `area`: filled down to zero; `dashed`: a threshold. */
  readonly look?: 'line' | 'area' | 'dashed';
  readonly values: readonly (number | undefined)[];
  readonly unit?: (value: number) => string;
}

/**
 * Series over time, with a cursor that reads them. `at` in milliseconds, rising. What is seen is told in words to a screen reader, and printed. The library that
 * draws is loaded with the first chart.
 */
export function SeriesChart({
  label,
  at,
  series,
  height = 220,
  fromZero = true,
}: {
  readonly label: string;
  readonly at: readonly number[];
  readonly series: readonly Series[];
  readonly height?: 120 | 160 | 220 | 280;
  readonly fromZero?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const [Plot, setPlot] = useState<typeof uPlot | undefined>(() => library);
  const paint = useStore(painted);
  const shape = `${paint} ${height} ${series.map(({ name, tone, look }) => `${name}/${tone}/${look}`).join(' ')}`;
  const latest = useRef({ at, series });
  latest.current = { at, series };
  useEffect(() => {
    let gone = false;
    if (Plot === undefined) {
      void import('uplot').then(({ default: found }) => {
        library = found;
        if (!gone) setPlot(() => found);
      });
    }
    return () => {
      gone = true;
    };
  }, []);
  useEffect(() => {
    const place = box.current;
    if (Plot === undefined || place === null) return;
    const made = new Plot(
      optionsOf(Plot, latest.current.series, { width: place.clientWidth, height, fromZero }),
      dataOf(latest.current),
      place,
    );
    chart.current = made;
    const resize = new ResizeObserver(() => {
      if (place.clientWidth > 0 && place.clientWidth !== made.width)
        made.setSize({ width: place.clientWidth, height });
    });
    resize.observe(place);
    return () => {
      resize.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [Plot, shape]);
  useEffect(() => {
    chart.current?.setData(dataOf({ at, series }) as uPlot.AlignedData);
  }, [at, series]);
  return (
    <figure class="series-chart">
      <div
        ref={box}
        class={`plot-box h${height}`}
        role="img"
        aria-label={plainText(`${label}. ${wordsOf(series)}`)}
      />
      {series.length > 1 && (
        <figcaption class="legend">
          {series.map(({ name, tone, look }) => (
            <span class="entry" key={name}>
              <span class={`key ${tone}${look === 'dashed' ? ' dashed' : ''}`} />
              {name}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}

let library: typeof uPlot | undefined;

function wordsOf(series: readonly Series[]): string {
  return series
    .map(({ name, values, unit = figure }) => {
      const good = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
      if (good.length === 0) return `${name}: nothing yet`;
      let most = good[0]!;
      for (const value of good) most = Math.max(most, value);
      return `${name}: ${unit(good.at(-1)!)} now, at most ${unit(most)}`;
    })
    .join('; ');
}

function dataOf({
  at,
  series,
}: {
  readonly at: readonly number[];
  readonly series: readonly Series[];
}): uPlot.AlignedData {
  return [
    at.map((each) => each / 1000),
    ...series.map(({ values }) =>
      values.map((value) => (value === undefined || !Number.isFinite(value) ? null : value)),
    ),
  ] as unknown as uPlot.AlignedData;
}

function optionsOf(
  Plot: typeof uPlot,
  series: readonly Series[],
  {
    width,
    height,
    fromZero,
  }: { readonly width: number; readonly height: number; readonly fromZero: boolean },
): uPlot.Options {
  const muted = colour('--muted');
  const line = colour('--line');
  const font = '12px ui-sans-serif, system-ui, sans-serif';
  const unit = series[0]?.unit ?? figure;
  const axis = {
    stroke: muted,
    font,
    ticks: { stroke: line, width: 1, size: 4 },
    grid: { stroke: line, width: 1 },
  };
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => rangeOf(low, high, fromZero) } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        space: 70,
        values: (_, ticks, __, ___, step) => ticks.map((tick) => timeWords(tick, step)),
      },
      {
        ...axis,
        size: 52,
        ticks: { show: false },
        splits: niceSplits,
        values: (_, ticks) => ticks.map((tick) => unit(tick)),
      },
    ],
    series: [
      {},
      ...series.map(({ name, tone, look = 'line' }): uPlot.Series => {
        const stroke = colour(`--${tone}`);
        return {
          label: name,
          stroke,
          width: look === 'dashed' ? 1.5 : 2,
          points: { show: false },
          spanGaps: false,
          ...(look === 'dashed' ? { dash: [5, 5] } : {}),
          ...(look === 'area' ? { fill: colour(`--${tone}`, 0.14) } : {}),
        };
      }),
    ],
    plugins: [reader(Plot, series)],
  };
}

function rangeOf(low: number, high: number, fromZero: boolean): [number, number] {
  if (low === null || high === null || !Number.isFinite(high)) return [0, 1];
  const bottom = fromZero ? Math.min(0, low) : low;
  const room = (high - bottom || Math.abs(high) || 1) * 0.1;
  return [
    fromZero || low >= 0 ? Math.max(bottom, fromZero ? bottom : bottom - room) : bottom - room,
    high + room,
  ];
}

/** Three or four lines at round values. */
function niceSplits(_: uPlot, __: number, low: number, high: number): number[] {
  const rough = (high - low) / 3.2;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const splits: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high && splits.length < 12; value += step) {
    splits.push(Math.abs(value) < step / 1e6 ? 0 : Number(value.toPrecision(12)));
  }
  return splits;
}

function timeWords(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  if (step >= 86_400) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return date.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(step < 60 ? { second: '2-digit' as const } : {}),
  });
}

/** A small table beside the cursor. */
function reader(_: typeof uPlot, series: readonly Series[]): uPlot.Plugin {
  let box: HTMLDivElement;
  return {
    hooks: {
      init(plot) {
        box = document.createElement('div');
        box.className = 'reader';
        box.hidden = true;
        plot.over.append(box);
      },
      setCursor(plot) {
        const { idx, left } = plot.cursor;
        const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
        box.hidden = at === undefined || left === undefined || left < 0;
        if (box.hidden || idx === null || idx === undefined) return;
        const time = document.createElement('time');
        time.textContent = new Date(at! * 1000).toLocaleString('en-GB', {
          day: 'numeric',
          month: 'short',
          hour: '2-digit',
          minute: '2-digit',
          second: '2-digit',
        });
        const rows = series.map(({ name, tone, unit = figure }, i) => {
          const row = document.createElement('span');
          const key = document.createElement('i');
          key.className = `key ${tone}`;
          const value = plot.data[i + 1]?.[idx];
          row.append(
            key,
            `${name} `,
            Object.assign(document.createElement('b'), {
              textContent: value === null || value === undefined ? '–' : unit(value),
            }),
          );
          return row;
        });
        box.replaceChildren(time, ...rows);
        const toLeft = left! > plot.over.clientWidth / 2;
        box.style.left = toLeft ? 'auto' : `${left! + 12}px`;
        box.style.right = toLeft ? `${plot.over.clientWidth - left! + 12}px` : 'auto';
      },
    },
  };
}
