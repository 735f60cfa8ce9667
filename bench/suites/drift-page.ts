import type { SideEvent } from '../side.ts';

type Delays = Readonly<
  Record<
    string,
    { readonly found: number; readonly hours: readonly (number | null)[]; readonly kinds: readonly string[] }
  >
>;

/** The tables of bench/results/drift.md. */
export function driftPage(lines: readonly SideEvent[]): string {
  const tables = lines.filter(({ event }) => event === 'table');
  const pictures = lines.filter(({ event }) => event === 'pictures');
  return `${[...table(tables), ...pictureTable(pictures)].join('\n')}\n`;
}

function table(lines: readonly SideEvent[]): readonly string[] {
  const changes = Object.keys((lines[0]?.delays ?? {}) as Delays);
  const runs = Number(lines[0]?.runs ?? 0);
  return [
    'A table of eight features, 17,280 samples a day, 40 clients, labels for three in ten an hour late. Each monitor may give one false alarm a week (0.14 a day); it was calibrated on six calm days and',
    `counted on six others, in ${runs} worlds. Then something changes: in how many of the ${runs} the monitor spoke within a day, and after @ the median hours until it did. Each of those days has a false alarm`,
    `by chance with a probability of up to 0.14, so 1/${runs} says nothing; the worlds are the same for all changes, so one such alarm may stand in several columns. A change that a monitor does not look at is not its to find: *concept* only shows in labels, *joint only* only jointly. ‡: called attack-like.`,
    '',
    `| calm traffic | monitor | false alarms a day (95 %) | ${changes.join(' | ')} |`,
    `|---|---|---:|${changes.map(() => '---:').join('|')}|`,
    ...lines.map(({ calm, monitor, alarms, days, interval, delays }) => {
      const [low, high] = interval as readonly [number, number];
      const cells = changes.map((change) => {
        const { found, hours, kinds } = (delays as Delays)[change]!;
        if (found === 0) return '';
        const known = hours.filter((h): h is number => h !== null).sort((a, b) => a - b);
        const isAttack = kinds.filter((kind) => kind === 'attack').length > found / 2;
        return `${found}/${runs} @${known[(known.length - 1) >> 1]!.toFixed(1)}${isAttack ? '‡' : ''}`;
      });
      return `| ${calm} | ${monitor} | ${(Number(alarms) / Number(days)).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}) | ${cells.join(' | ')} |`;
    }),
  ];
}

function pictureTable(lines: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  const changes = (lines[0]!.delays as readonly { readonly change: string }[]).map(({ change }) => change);
  return [
    '',
    '### Real pictures',
    'MNIST as sketches of 67 numbers, one digit every two seconds: calibrated on 30,000 training digits, counted on 60,000 draws of others, then test digits with a change: samples until it is found (of 4,000).',
    '*none* are test digits as they are: other writers than the training digits, so a late alarm there is right.',
    '',
    `| monitor | false alarms a day (95 %) | ${changes.join(' | ')} |`,
    `|---|---:|${changes.map(() => '---:').join('|')}|`,
    ...lines.map(({ monitor, alarms, days, interval, delays }) => {
      const [low, high] = interval as readonly [number, number];
      const cells = (delays as readonly { readonly samples: number | null }[]).map(({ samples }) =>
        samples === null ? '' : String(Math.round(samples)),
      );
      return `| ${monitor} | ${(Number(alarms) / Number(days)).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}) | ${cells.join(' | ')} |`;
    }),
  ];
}
