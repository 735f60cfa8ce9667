import type { Decision } from '../../decision.ts';
import { ACTIONS } from '../../guard.ts';
import { STAGES, type Stage } from '../../stages.ts';
import { addDistinct, type Distinct, newDistinct } from './distinct.ts';
import { addHistogram, addPacked, type Histogram, newHistogram, packHistogram } from './histogram.ts';

/** What guards said: counts of pass, flag, degrade, refuse. */
export type Verdicts = [number, number, number, number];

/** How long a stage took: milliseconds together, and each. */
export interface StageSums {
  sum: number;
  readonly latencies: Histogram;
}

/** Sums over a span of time, of one model or of all. */
export interface Sums {
  answered: number;
  refused: number;
  samples: number;
  flagged: number;
  /** By the name of the refusal. */
  readonly refusals: Map<string, number>;
  readonly latencies: Histogram;
  /** By model and guard. */
  readonly guards: Map<string, Map<string, Verdicts>>;
  /** Of all models together. */
  readonly stages: Partial<Record<Stage, StageSums>>;
  readonly clients: Distinct;
}

/** Nothing yet. */
export function newSums(): Sums {
  return {
    answered: 0,
    refused: 0,
    samples: 0,
    flagged: 0,
    refusals: new Map(),
    latencies: newHistogram(),
    guards: new Map(),
    stages: {},
    clients: newDistinct(),
  };
}

/** Whether a guard found something. */
export function isFlagged({ guards }: Decision): boolean {
  for (const { action } of guards) if (action !== 'pass') return true;
  return false;
}

/** The counts of a guard, made where they are missing. */
export function verdictsOf(sums: Sums, model: string, guard: string): Verdicts {
  let guards = sums.guards.get(model);
  if (guards === undefined) {
    guards = new Map();
    sums.guards.set(model, guards);
  }
  let verdicts = guards.get(guard);
  if (verdicts === undefined) {
    verdicts = [0, 0, 0, 0];
    guards.set(guard, verdicts);
  }
  return verdicts;
}

/** The sums of a stage, made where they are missing. */
export function stageOf(sums: Sums, stage: Stage): StageSums {
  sums.stages[stage] ??= { sum: 0, latencies: newHistogram() };
  return sums.stages[stage];
}

/** Adds `more` to some sums. */
export function addSums(sums: Sums, more: Sums): void {
  sums.answered += more.answered;
  sums.refused += more.refused;
  sums.samples += more.samples;
  sums.flagged += more.flagged;
  for (const [name, count] of more.refusals) sums.refusals.set(name, (sums.refusals.get(name) ?? 0) + count);
  addHistogram(sums.latencies, more.latencies);
  for (const [model, guards] of more.guards)
    for (const [guard, verdicts] of guards) {
      const own = verdictsOf(sums, model, guard);
      for (let i = 0; i < ACTIONS.length; i++) own[i]! += verdicts[i]!;
    }
  for (const stage of STAGES) {
    const given = more.stages[stage];
    if (given === undefined) continue;
    const own = stageOf(sums, stage);
    own.sum += given.sum;
    addHistogram(own.latencies, given.latencies);
  }
  addDistinct(sums.clients, more.clients);
}

/** What is beside the plain columns, as the store keeps it. */
interface Packed {
  readonly r?: Readonly<Record<string, number>>;
  readonly l?: readonly number[];
  readonly g?: readonly (readonly [model: string, guard: string, ...Verdicts])[];
  readonly s?: Readonly<Record<string, readonly [sum: number, latencies: readonly number[]]>>;
  readonly c?: string;
}

/** The text of everything that has no column of its own. */
export function packSums(sums: Sums): string {
  const packed: Packed = {
    r: Object.fromEntries(sums.refusals),
    l: packHistogram(sums.latencies),
    g: [...sums.guards].flatMap(([model, guards]) =>
      [...guards].map(([guard, verdicts]) => [model, guard, ...verdicts] as const),
    ),
    s: Object.fromEntries(
      Object.entries(sums.stages).map(([stage, { sum, latencies }]) => [
        stage,
        [Number(sum.toPrecision(9)), packHistogram(latencies)] as const,
      ]),
    ),
    ...(sums.clients.some((rank) => rank > 0) && { c: Buffer.from(sums.clients).toString('base64') }),
  };
  return JSON.stringify(packed);
}

/** A row's sums, added to others. */
export function addRow(
  sums: Sums,
  row: {
    readonly answered: number;
    readonly refused: number;
    readonly samples: number;
    readonly flagged: number;
    readonly more?: string;
  },
): void {
  sums.answered += row.answered;
  sums.refused += row.refused;
  sums.samples += row.samples;
  sums.flagged += row.flagged;
  if (row.more === undefined) return;
  const { r = {}, l, g = [], s = {}, c } = JSON.parse(row.more) as Packed;
  for (const [name, count] of Object.entries(r))
    sums.refusals.set(name, (sums.refusals.get(name) ?? 0) + count);
  addPacked(sums.latencies, l);
  for (const [model, guard, ...verdicts] of g) {
    const own = verdictsOf(sums, model, guard);
    for (let i = 0; i < ACTIONS.length; i++) own[i]! += verdicts[i]!;
  }
  for (const stage of STAGES) {
    const given = s[stage];
    if (given === undefined) continue;
    const own = stageOf(sums, stage);
    own.sum += given[0];
    addPacked(own.latencies, given[1]);
  }
  if (c !== undefined) addDistinct(sums.clients, Buffer.from(c, 'base64'));
}
