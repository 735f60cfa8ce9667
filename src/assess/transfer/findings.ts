import type { PlannedAttack } from '../../attack/registry.ts';
import { holm } from '../../core/statistics/holm.ts';
import { mcnemar } from '../../core/statistics/mcnemar.ts';
import { radius } from '../../threat/norm.ts';
import type { Finding, Severity } from '../result.ts';
import type { FoolRate, Transfer, TransferCell, TransferRow } from './result.ts';
import type { RowRecord, TransferRecord } from './run.ts';

/** MITRE ATLAS (create a proxy model, craft by black-box transfer, evade), OWASP ML (input manipulation) and NIST AI 100-2 (black-box evasion). */
const TRANSFER = {
  atlas: ['AML.T0005', 'AML.T0043.002', 'AML.T0015'],
  owasp: ['ML01:2023'],
  nist: ['NISTAML.025'],
} as const;

/** A corrected p-value below this shows that one kind of example does more than another. */
const LEVEL = 0.05;
/** Shares that examples take beyond a change at random, with what they mean. */
const BEYOND_CHANCE: readonly (readonly [number, Severity])[] = [
  [0.5, 'high'],
  [0.2, 'medium'],
  [0.05, 'low'],
];
/** Shares that a change at random takes, above which the whole interval must lie. */
const FRAIL: readonly (readonly [number, Severity])[] = [
  [0.2, 'medium'],
  [0.05, 'low'],
];
/** Own examples that fool less than this are no yardstick: the row says little about other models. */
const WEAK = 0.25;

type Facts = Pick<Transfer, 'models' | 'rows' | 'noise' | 'attack' | 'norm' | 'eps'>;

/**
 * What a reader should act on: models that examples made elsewhere fool more often than a change at random does, models that a change at
 * random fools, and models whose own gradients mislead. Pairs of models are held against chance with McNemar's test, corrected
 * after Holm for all of them.
 */
export function transferFindings(
  facts: Facts,
  { attack }: Pick<PlannedAttack, 'attack'>,
  record: TransferRecord,
): readonly Finding[] {
  return [
    ...transferable(facts, record),
    ...frail(facts),
    ...(attack.needs === 'gradient' ? misled(facts, record) : []),
  ];
}

/** What a reader should know about rows: attacks that hardly fool their own model. */
export function weakRows({ models, rows }: Pick<Facts, 'models' | 'rows'>): readonly string[] {
  return rows.flatMap(({ model, cells }) => {
    const own = cells[model]!;
    const { label } = models[model]!;
    return own.rate !== null && own.rate < WEAK
      ? [
          `The attack fools ${label} itself on ${percent(own.rate)} of the samples only: small figures in its row may be the attack's, and are no sign that the other models withstand transfer.`,
        ]
      : [];
  });
}

/** One finding for each model that examples of others fool, the sources by what they take. */
function transferable(facts: Facts, record: TransferRecord): readonly Finding[] {
  const { models, rows, noise, attack, norm, eps } = facts;
  const shown = shownBeyondChance(facts, record);
  return models.flatMap(({ label, name }, column): Finding[] => {
    const sources = rows
      .filter(({ model }) => model !== column && shown.has(pairOf(model, column)))
      .map((row) => ({ letter: models[row.model]!.label, cell: row.cells[column]! }))
      .filter(({ cell }) => severityOf(BEYOND_CHANCE, beyond(cell)) !== undefined)
      .sort((a, b) => beyond(b.cell) - beyond(a.cell));
    const [strongest] = sources;
    if (!strongest) return [];
    const letters = joined(sources.map(({ letter }) => letter));
    return [
      {
        id: 'evasion/transferable-examples',
        title: `Examples made on ${letters} fool ${label} (${name})`,
        severity: severityOf(BEYOND_CHANCE, beyond(strongest.cell))!,
        taxonomy: TRANSFER,
        evidence: `${attack.id} within ${norm} ${radius(eps)}: ${sources
          .map(({ letter, cell }) => `made on ${letter}, ${said(cell)}`)
          .join(
            '; ',
          )}.${noise ? ` A change at random of that size: ${said(noise[column]!)}.` : ''} ${own(rows, column)}`,
        remedy: `Keeping ${label} secret does not protect it: whoever has or trains a model like ${letters} can make examples without asking ${label} once. Harden ${label} itself, e.g. by training on examples that were made on several models.`,
      },
    ];
  });
}

/** Share of the samples that examples take beyond what a change at random takes. */
function beyond({ n, fooled, fooledAtRandom = 0 }: TransferCell): number {
  return n > 0 ? (fooled - fooledAtRandom) / n : 0;
}

/** The pairs of different models where examples are shown to do more than a change at random. */
function shownBeyondChance(
  { rows: known }: Facts,
  { right, noise, rows }: TransferRecord,
): ReadonlySet<string> {
  const pairs = known.flatMap(({ model, cells }) => {
    const row = rows.find((each) => each.model === model)!;
    return cells.flatMap((_, column) => {
      if (column === model) return [];
      const counts = discordant(
        [right[model]!, right[column]!],
        row.done,
        row.fooled[column]!,
        noise?.[column],
      );
      return [{ pair: pairOf(model, column), ...counts }];
    });
  });
  const corrected = holm(pairs.map(({ onlyFirst, onlySecond }) => mcnemar(onlyFirst, onlySecond).p));
  return new Set(
    pairs
      .filter(({ onlyFirst, onlySecond }, i) => onlyFirst > onlySecond && corrected[i]! < LEVEL)
      .map(({ pair }) => pair),
  );
}

function pairOf(row: number, column: number): string {
  return `${row} ${column}`;
}

/** Of the samples that all models get right among the first `n`: how many only one of two changes takes. */
function discordant(
  right: readonly Uint8Array[],
  n: number,
  first: Uint8Array,
  second: Uint8Array | undefined,
): { readonly onlyFirst: number; readonly onlySecond: number } {
  let [onlyFirst, onlySecond] = [0, 0];
  for (let i = 0; i < n; i++) {
    if (!right.every((each) => each[i])) continue;
    const [a, b] = [first[i]!, second?.[i] ?? 0];
    if (a > b) onlyFirst++;
    else if (b > a) onlySecond++;
  }
  return { onlyFirst, onlySecond };
}

function frail({ models, noise, norm, eps }: Facts): readonly Finding[] {
  return (noise ?? []).flatMap((cell, i): Finding[] => {
    const severity = severityOf(FRAIL, cell.confidence[0]);
    if (!severity) return [];
    const { label, name } = models[i]!;
    return [
      {
        id: 'evasion/fragile-to-noise',
        title: `A change at random fools ${label} (${name})`,
        severity,
        taxonomy: { atlas: [], owasp: [], nist: [] },
        evidence: `${norm === 'linf' ? 'Random signs' : 'A random direction'} within ${norm} ${radius(eps)}: ${said(cell)}. Nobody chose this change, and no model is needed to make it: so much of each figure in the column of ${label} is its frailty and no transfer.`,
        remedy: `Train ${label} with noise of varying strength on its inputs, and look for a range or preprocessing that does not fit it (--range, --mean, --std).`,
      },
    ];
  });
}

/**
 * Models that examples of another model fool more often than their own, on the same samples: a sign that their gradients do not lead
 * where they should (Athalye, Carlini and Wagner 2018, section 3.1, https://arxiv.org/abs/1802.00420).
 */
function misled({ models, attack, norm, eps }: Facts, { right, rows }: TransferRecord): readonly Finding[] {
  const pairs = rows.flatMap((target) =>
    rows.filter((source) => source !== target).map((source) => ({ target, source })),
  );
  const counts = pairs.map(({ target, source }) =>
    discordant(
      [right[target.model]!, right[source.model]!],
      Math.min(target.done, source.done),
      source.fooled[target.model]!,
      target.fooled[target.model]!,
    ),
  );
  const corrected = holm(counts.map(({ onlyFirst, onlySecond }) => mcnemar(onlyFirst, onlySecond).p));
  const letter = ({ model }: RowRecord) => models[model]!.label;
  return rows.flatMap((target): Finding[] => {
    const shown = pairs.flatMap(({ source, target: of }, i) => {
      const { onlyFirst, onlySecond } = counts[i]!;
      return of === target && onlyFirst > onlySecond && corrected[i]! < LEVEL
        ? [{ from: letter(source), onlyFirst, onlySecond }]
        : [];
    });
    if (shown.length === 0) return [];
    const { label, name } = models[target.model]!;
    return [
      {
        id: 'evasion/gradient-masking',
        title: `Gradient masking suspected in ${label} (${name}): examples of other models fool it more often than its own`,
        severity: 'medium',
        taxonomy: { atlas: ['AML.T0043', 'AML.T0015'], owasp: ['ML01:2023'], nist: ['NISTAML.022'] },
        evidence: `${attack.id} within ${norm} ${radius(eps)}: ${shown
          .map(
            ({ from, onlyFirst, onlySecond }) =>
              `of the samples that both get right, ${onlyFirst} fall only to the example made on ${from} and ${onlySecond} only to the one made on ${label} itself`,
          )
          .join('; ')}.`,
        remedy: `Do not rely on figures of gradient attacks on ${label}. Assess it with attacks that need no gradient, with more steps and restarts, and with examples from ${joined(shown.map(({ from }) => from))}.`,
      },
    ];
  });
}

function severityOf(limits: readonly (readonly [number, Severity])[], share: number): Severity | undefined {
  return limits.find(([least]) => share > least)?.[1];
}

function own(rows: readonly TransferRow[], column: number): string {
  const row = rows.find(({ model }) => model === column);
  return row ? `Examples made on it: ${said(row.cells[column]!)}.` : 'No examples were made on it.';
}

/** A rate in words. */
function said({ fooled, n, rate, confidence: [low, high] }: FoolRate): string {
  return `${fooled} of ${n} (${percent(rate ?? 0)}, 95 % confidence ${percent(low)} to ${percent(high)})`;
}

function joined(labels: readonly string[]): string {
  return labels.length < 2 ? labels.join('') : `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
