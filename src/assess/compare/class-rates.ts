import type { ClassRates } from './comparison.ts';
import { pairedContrast, type Rights, unpairedContrast } from './contrast.ts';

/** More classes than this are no help to a reader and a burden on the file. */
const MOST_CLASSES = 1000;

/**
 * The rates class by class, by rising class number; `undefined` where labels are no class numbers, or too many.
 *
 * @param rights one entry a model; where `paired`, all of one length
 * @param labels one entry a model, at least as long as its rights
 */
export function classRates(
  rights: readonly Rights[],
  labels: readonly ArrayLike<number>[],
  paired: boolean,
): readonly ClassRates[] | undefined {
  const byClass = rights.map((each, side) => splitByClass(each, labels[side]!));
  const classes = [...new Set(byClass.flatMap((each) => [...each.keys()]))].sort((a, b) => a - b);
  if (classes.length === 0 || classes.length > MOST_CLASSES || !classes.every(isClass)) return undefined;
  const contrast = paired ? pairedContrast : unpairedContrast;
  return classes.map((label) => {
    const parts = byClass.map((each) => each.get(label) ?? new Uint8Array());
    const [first, ...others] = parts;
    return {
      label,
      rates: parts.map((part) => ({ n: part.length, right: part.reduce((sum, one) => sum + one, 0) })),
      differences: others.map((later) => {
        const { difference, interval } = contrast(first!, later);
        return { difference, interval };
      }),
    };
  });
}

function isClass(label: number): boolean {
  return Number.isInteger(label) && label >= 0;
}

function splitByClass(rights: Rights, labels: ArrayLike<number>): ReadonlyMap<number, Rights> {
  const members = new Map<number, number[]>();
  for (const [i, right] of rights.entries()) {
    const list = members.get(labels[i]!) ?? [];
    list.push(right);
    members.set(labels[i]!, list);
  }
  return new Map([...members].map(([label, list]) => [label, Uint8Array.from(list)]));
}
