import type { Needs } from '../../attack/attack.ts';
import { EVASION_ATTACKS } from '../../attack/registry.ts';
import type { Norm } from '../../threat/norm.ts';
import type { CellRecord } from '../record.ts';
import { type Cell, fellAt } from '../summarise.ts';
import type { AttackFacts } from './facts.ts';

/** One attack with what it did, as an assessment has it in the end. */
export interface RanCell {
  readonly cell: Cell;
  readonly record: CellRecord;
}

/** Where an attack takes its direction from: the model's gradient, once or again and again, its answers, or another model. */
const SOURCES = ['one-step', 'gradient', 'answers', 'transfer'] as const;
type Source = (typeof SOURCES)[number];

/** What became of each sample at one radius. */
export interface Fates {
  /** Samples that the model got right before and that every attack has decided. */
  readonly right: readonly number[];
  /** By source: the samples that fell; `undefined` where no such attack ran. */
  readonly fell: Readonly<Record<Source, ReadonlySet<number> | undefined>>;
}

/** Attacks that ask for one gradient, and those whose gradient is another model's. */
const BY_ID: Readonly<Record<string, Source>> = { fgsm: 'one-step', transfer: 'transfer' };

/** Reads off the records which samples fell within `eps` to what kind of attack. */
export function fatesIn(
  cells: readonly RanCell[],
  correct: Uint8Array,
  {
    norm,
    eps,
    bounds,
  }: { readonly norm: Norm; readonly eps: number; readonly bounds: readonly [number, number] },
): Fates {
  const there = cells.filter(({ cell }) => cell.measure === norm && cell.radii.includes(eps));
  const right = Array.from(correct, (_, i) => i).filter(
    (i) => correct[i] && there.every(({ record }) => record.decided[i]),
  );
  const fell = new Map<Source, Set<number>>();
  for (const { cell, record } of there) {
    const { attack } = cell.plan;
    const sources = (attack.parts ?? [attack.id]).map((id) => sourceOf(id, attack.needs));
    for (const source of sources) if (!fell.has(source)) fell.set(source, new Set());
    for (const i of right) {
      if (!fellAt({ bounds }, cell, record, i, eps)) continue;
      // `by` is 0 where the attack has no parts.
      fell.get(sources[Math.max(0, record.by[i]! - 1)]!)!.add(i);
    }
  }
  return {
    right,
    fell: Object.fromEntries(SOURCES.map((source) => [source, fell.get(source)])) as Fates['fell'],
  };
}

/** A part that is no attack of its own takes after the whole. */
function sourceOf(id: string, needs: Needs): Source {
  const own = EVASION_ATTACKS.find((attack) => attack.id === id)?.needs ?? needs;
  return BY_ID[id] ?? (own === 'gradient' ? 'gradient' : 'answers');
}

/** Whether any attack changed sample `i`. */
export function isFallen({ fell }: Fates, i: number): boolean {
  return SOURCES.some((source) => fell[source]?.has(i));
}

/** Right answers that attacks with gradients left standing; where none ran, that all attacks did. */
export function standingIn(fates: Fates): readonly number[] {
  const { right, fell } = fates;
  const ranGradient = fell.gradient ?? fell['one-step'];
  return right.filter((i) => (ranGradient ? !hasFallenToGradient(fell, i) : !isFallen(fates, i)));
}

/** Samples that only attacks without the model's gradient changed. */
export function missedByGradients({ right, fell }: Fates): readonly number[] {
  return right.filter((i) => fell.answers?.has(i) && !hasFallenToGradient(fell, i));
}

const hasFallenToGradient = (fell: Fates['fell'], i: number) =>
  fell['one-step']?.has(i) || fell.gradient?.has(i);

/** The fates as counts, with what the attacks took account of. */
export function attackFacts(fates: Fates, cells: readonly RanCell[]): AttackFacts {
  const { right, fell } = fates;
  const standing = right.filter((i) => !hasFallenToGradient(fell, i));
  const ranGradient = fell.gradient !== undefined || fell['one-step'] !== undefined;
  const anyWith = (holds: (options: Readonly<Record<string, unknown>>) => boolean) =>
    cells.some(({ cell: { plan } }) => plan.attack.needs === 'gradient' && holds({ ...plan.options }));
  return {
    right: right.length,
    gradient: ranGradient ? right.length - standing.length : undefined,
    withoutGradients: fell.answers?.size,
    missed: ranGradient ? missedByGradients(fates).length : 0,
    transfer:
      fell.transfer && ranGradient
        ? { tried: standing.length, missed: standing.filter((i) => fell.transfer!.has(i)).length }
        : undefined,
    oneStep:
      fell['one-step'] && fell.gradient
        ? {
            fell: fell['one-step'].size,
            missed: [...fell['one-step']].filter((i) => !fell.gradient!.has(i)).length,
          }
        : undefined,
    straightThrough: anyWith(({ rounding }) => rounding === 'straight-through'),
    averaged: anyWith(({ version, average }) => version === 'rand' || Number(average) > 1),
  };
}
