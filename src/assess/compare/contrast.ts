import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { type PairedCounts, pairedDifference, unpairedDifference } from '../../core/statistics/difference.ts';
import { fisherExact } from '../../core/statistics/fisher.ts';
import { mcnemar } from '../../core/statistics/mcnemar.ts';
import type { Contrast, Rate } from './comparison.ts';

/** A contrast before it is known how many others are tested beside it. */
export type OpenContrast = Omit<Contrast, 'model' | 'corrected' | 'verdict'>;

/** 1 where a model is right, sample by sample. */
export type Rights = Uint8Array;

/** How often a model is right. Without samples nothing is known: accuracy 0 in [0, 1]. */
export function rateOf(rights: Rights): Rate {
  const n = rights.length;
  const right = count(rights);
  return { n, right, accuracy: n === 0 ? 0 : right / n, confidence: clopperPearson(right, n) };
}

/** A later model beside the first on the same samples; both arrays have one length. */
export function pairedContrast(first: Rights, later: Rights): OpenContrast {
  const pairs = pairsOf(first, later);
  return { ...pairedDifference(pairs), pairs, ...mcnemar(pairs.onlyFirst, pairs.onlySecond) };
}

/** A later model beside the first on samples that have nothing to do with each other. */
export function unpairedContrast(first: Rights, later: Rights): OpenContrast {
  const a = [count(first), first.length] as const;
  const b = [count(later), later.length] as const;
  return { ...unpairedDifference(a, b), p: fisherExact(a, b) };
}

/** How the answers of two models to the same samples fall together. */
function pairsOf(first: Rights, later: Rights): PairedCounts {
  const counts = [0, 0, 0, 0] as [number, number, number, number];
  for (const [i, right] of first.entries()) counts[right * 2 + later[i]!]!++;
  const [neither, onlySecond, onlyFirst, both] = counts;
  return { both, onlyFirst, onlySecond, neither };
}

function count(rights: Rights): number {
  return rights.reduce((sum, right) => sum + right, 0);
}
