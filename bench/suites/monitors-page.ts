import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import type { SideEvent } from '../side.ts';

/** The tables of bench/results/monitors.md. */
export function monitorsPage(lines: readonly SideEvent[]): string {
  const of = (event: string) => lines.filter((line) => line.event === event);
  return `${[
    ...calm(of('calm')),
    ...contained(of('contained'), of('needed')),
    ...alone(of('alone')),
    ...cost(of('cost'), of('past')),
  ].join('\n')}\n`;
}

function calm(lines: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  const sum = (of: (line: SideEvent) => number) => lines.reduce((total, line) => total + of(line), 0);
  return [
    '### Calm traffic',
    `${sum(({ requests }) => Number(requests))} requests of ${sum(({ principals }) => Number(principals))} principals who were not learnt from: retries, files saved again, cameras, bursts, and slow drift of everything in the second half (one principal in ten drifts half as far again). Attack alarms are those of the monitors of attacks. Intervals are 95 % (Clopper-Pearson), of principals that were ever blamed.`,
    '',
    '| run | requests | attack alarms | principals blamed | drift alarms while it drifted | before it did | drift ascribed to few clients | nearest to an attack alarm | µs a sketched request, all monitors |',
    '|---|---:|---:|---:|---|---|---|---|---:|',
    ...lines.map((line) => {
      const [low, high] = line.perPrincipal as readonly [number, number];
      const highest = (
        line.highest as readonly { readonly monitor: string; readonly share: number }[]
      ).reduce((most, each) => (each.share > most.share ? each : most));
      return `| ${line.id} | ${line.requests} | ${line.attackAlarms}${named(line.by)} | ${line.blamed} of ${line.principals} (${percent(low)}–${percent(high)}) | ${names(line.driftAlarms)} | ${names(line.falseDrift)} | ${names(line.driftOfFew)} | ${highest.monitor}: ${percent(highest.share)} of its threshold | ${Number(line.microseconds).toFixed(0)} |`;
    }),
  ];
}

function contained(lines: readonly SideEvent[], needed: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  const [unhindered] = needed;
  const quarantined = lines.filter(({ answer }) => answer === undefined);
  const byDefault = lines.filter(({ answer }) => answer === 'default');
  const wanted = (line: SideEvent) => Number(line.needed ?? unhindered?.neededWithin1);
  return [
    '',
    '### Contained by the gateway',
    'A gateway as it is served, over loopback, with log, cases and measures; whom an alarm of an attack names is quarantined. The attacker sends batches of up to 32 samples, one request under way, as fast as it can; 30 calm clients ask meanwhile. Counted are samples that were answered until every key was cut off: the median of the runs, the least and the most. Intervals are 95 % (Clopper-Pearson), of runs that were contained.',
    '',
    '| attack | keys | runs contained | samples answered | of those needed | seconds | calm clients blamed |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...byAttack(quarantined).map((runs) => {
      const { attack, keys, calmBlamed, cut, answered, seconds } = summed(runs);
      return `| ${attack} | ${keys} | ${cut} | ${shownSpan(answered)} | ${ofNeeded(answered, wanted(runs[0]!))} | ${seconds.toFixed(2)} at most | ${calmBlamed} |`;
    }),
    '',
    ...(byDefault.length === 0
      ? []
      : [
          'The same with the rules that a gateway has when it is told nothing: answers to whom an alarm of severity `high` names are labels alone, and a `critical` one quarantines. Samples answered are counted until every key was cut off, or until the attack was over; of them, those that told more than a label.',
          '',
          '| attack | keys | runs contained | samples answered | of those needed | with more than a label | seconds | calm clients blamed |',
          '|---|---:|---:|---:|---:|---:|---:|---:|',
          ...byAttack(byDefault).map((runs) => {
            const { attack, keys, calmBlamed, cut, answered, seconds } = summed(runs);
            const told = ordered(runs.map((line) => Number(line.answered) - Number(line.labelled)));
            return `| ${attack} | ${keys} | ${cut} | ${shownSpan(answered)} | ${ofNeeded(answered, wanted(runs[0]!))} | ${shownSpan(told)} | ${seconds.toFixed(2)} at most | ${calmBlamed} |`;
          }),
          '',
        ]),
    ...(unhindered
      ? [
          `Nobody in its way, HopSkipJump asked ${unhindered.queries} times (median of ${unhindered.runs} digits) and ended at a median distance of ${Number(unhindered.final).toFixed(2)}: within a tenth of it after ${unhindered.neededWithin10} queries, within a hundredth after ${unhindered.neededWithin1}, and at it after ${unhindered.needed}. A copy needs more than 30,000 natural pictures to agree on 90 % (bench/results/steal.md).`,
        ]
      : []),
  ];
}

/** Runs of one attack with as many keys, in the order of their names. */
function byAttack(lines: readonly SideEvent[]): readonly (readonly SideEvent[])[] {
  const sorted = lines.toSorted((a, b) => Number(a.keys) - Number(b.keys));
  return [...Map.groupBy(sorted, ({ attack, keys }) => `${attack}\0${keys}`).values()].toSorted((a, b) =>
    String(a[0]!.attack).localeCompare(String(b[0]!.attack)),
  );
}

const ordered = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
const middleOf = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)]!;
const shownSpan = (sorted: readonly number[]) => `${middleOf(sorted)} (${sorted[0]} to ${sorted.at(-1)})`;
const ofNeeded = (sorted: readonly number[], wanted: number) =>
  `${percent(middleOf(sorted) / wanted)} (at most ${percent(sorted.at(-1)! / wanted)}) of ${wanted}`;

function summed(runs: readonly SideEvent[]) {
  return {
    ...{ attack: runs[0]!.attack, keys: runs[0]!.keys },
    answered: ordered(runs.map((line) => Number(line.answered))),
    cut: ofRuns(runs.filter((line) => line.contained === true).length, runs.length),
    seconds: Math.max(...runs.map(({ milliseconds }) => Number(milliseconds))) / 1000,
    calmBlamed: runs.reduce((total, line) => total + Number(line.calmBlamed), 0),
  };
}

function alone(lines: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  const shown = (n: unknown) => (typeof n === 'number' && Number.isFinite(n) ? String(n) : 'never');
  return [
    '',
    '### The monitors alone, and attackers who know them',
    'One query a call, every third call a calm client’s; a key that is named is cut off at once and the attack goes on with the others. Medians over runs; lures are calm queries that a key sends for each of the attack’s and are not counted. Intervals are 95 % (Clopper-Pearson), of runs that were caught.',
    '',
    '| attack | keys | lures | runs caught | first key after | all keys after | by | calm clients blamed |',
    '|---|---:|---:|---:|---:|---:|---|---:|',
    ...lines.map(
      (line) =>
        `| ${line.attack} | ${line.keys} | ${line.decoys} | ${ofRuns(Number(line.caught), Number(line.runs))} | ${shown(line.first)} | ${shown(line.all)} | ${(line.by as readonly string[]).join(', ')} | ${line.innocent} |`,
    ),
  ];
}

function cost(lines: readonly SideEvent[], past: readonly SideEvent[]): readonly string[] {
  return [
    ...(lines.length > 0
      ? [
          '',
          '### Cost',
          '| calls a second | µs of CPU a call: the calling thread | all threads | sketched |',
          '|---:|---:|---:|---:|',
          ...lines.map(
            (line) =>
              `| ${line.perSecond} | ${Number(line.main).toFixed(1)} | ${Number(line.all).toFixed(1)} | ${percent(Number(line.sketched))} |`,
          ),
        ]
      : []),
    ...(past.length > 0
      ? [
          '',
          '### Past decisions',
          '| from | decisions | seconds | peak memory |',
          '|---|---:|---:|---:|',
          ...past.map(
            (line) =>
              `| ${line.from} | ${line.decisions} | ${Number(line.seconds).toFixed(1)} | ${(Number(line.peakRssBytes) / 2 ** 20).toFixed(0)} MiB |`,
          ),
        ]
      : []),
  ];
}

/** So many of so many runs, with the interval of the share where there is more than one. */
function ofRuns(k: number, n: number): string {
  if (n < 2) return `${k} of ${n}`;
  const [low, high] = clopperPearson(k, n);
  return `${k} of ${n} (${percent(low)}–${percent(high)})`;
}
const names = (counts: unknown): string =>
  Object.entries(counts as Readonly<Record<string, number>>)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ') || 'none';
const named = (counts: unknown): string => (names(counts) === 'none' ? '' : ` (${names(counts)})`);
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} %`;
