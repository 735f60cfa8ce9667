import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { Asker } from './askers.ts';
import { recent } from './recent.ts';

/** Near-duplicates that each asker may add to a cluster before they count, on the scale of {@link Evidence.size}. */
export const SPARED = 3;

/** Own queries after which what an asker has added to a cluster has fallen to 1/e. */
const FADES = 500;

/** Askers of one cluster that are told apart. */
const PARTS = 16;

/** How much further a margin must have fallen than ever before, as a share of the first one, to count as a descent. */
const DESCENT = 0.005;

/** What has gathered in a cluster. */
export interface Evidence {
  readonly size: number;
  readonly flips: number;
  readonly descents: number;
}

/** What a near-duplicate adds. */
export interface Addition {
  readonly weight: number;
  readonly flipped: boolean;
  /** The class of the query that it resembles; of a cluster's first near-duplicate, the cluster's class. */
  readonly label: number;
  /** How much likelier a class is than the likeliest other one. */
  margin(label: number): number;
}

/** Clusters of near-duplicates. */
export interface Clusters {
  join(cluster: number, asker: Asker, addition: Addition): Evidence;
  /** Whether this asker has added more than is spared. */
  isImplicated(cluster: number, asker: Asker): boolean;
  keep(): unknown;
  /** Errors: `result/invalid`. */
  restore(kept: unknown): void;
}

interface Part {
  asker: number;
  /** What the asker had asked when it was last reckoned. */
  at: number;
  size: number;
  flips: number;
  descents: number;
}

interface Cluster {
  label: number;
  first: number;
  least: number;
  readonly parts: Part[];
}

const amount = z.number().min(0);
const keptClusters = z
  .array(
    z.tuple([
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 32),
      z.number().int().min(0),
      z.number().nullable(),
      z.number().nullable(),
      z.array(z.tuple([z.number().int(), z.number().int().min(0), amount, amount, amount])).max(PARTS),
    ]),
  )
  .max(2 ** 20);

/** Keeps the `most` clusters that were joined last. A cluster has no more than {@link PARTS} askers: the least is forgotten for a new one. */
export function clustersOf(most: number): Clusters {
  const known = recent<number, Cluster>(most);
  const partOf = ({ parts }: Cluster, asker: Asker): Part => {
    const found = parts.find((part) => part.asker === asker.id);
    if (found) {
      const fade = Math.exp((found.at - asker.asked) / FADES);
      found.size *= fade;
      found.flips *= fade;
      found.descents *= fade;
      found.at = asker.asked;
      return found;
    }
    if (parts.length >= PARTS) {
      const least = parts.reduce((low, part, i) => (part.size < parts[low]!.size ? i : low), 0);
      parts.splice(least, 1);
    }
    const part = { asker: asker.id, at: asker.asked, size: 0, flips: 0, descents: 0 };
    parts.push(part);
    return part;
  };
  return {
    join(number, asker, { weight, flipped, label, margin }) {
      const cluster = known.at(number, () => {
        const first = margin(label);
        return { label, first, least: first, parts: [] };
      });
      const part = partOf(cluster, asker);
      part.size += weight;
      if (flipped) part.flips += weight;
      const now = margin(cluster.label);
      if (now < cluster.least - DESCENT * Math.abs(cluster.first)) {
        cluster.least = now;
        part.descents += weight;
      }
      const sum = { size: 0, flips: 0, descents: 0 };
      for (const { size, flips, descents } of cluster.parts) {
        sum.size += Math.max(0, size - SPARED);
        sum.flips += Math.max(0, flips - 1);
        sum.descents += Math.max(0, descents - SPARED);
      }
      return sum;
    },
    isImplicated(number, asker) {
      const part = known.get(number)?.parts.find((each) => each.asker === asker.id);
      return part !== undefined && part.size > SPARED;
    },
    keep: () =>
      [...known.entries()].map(([number, { label, first, least, parts }]) => [
        number,
        label,
        finite(first),
        finite(least),
        parts.map(({ asker, at, size, flips, descents }) => [asker, at, size, flips, descents]),
      ]),
    restore(kept) {
      const read = keptClusters.safeParse(kept);
      if (!read.success)
        throw new GlacisError('result/invalid', 'clusters: expected what was kept, got something else');
      for (const [number, label, first, least, parts] of read.data)
        known.at(number, () => ({
          label,
          first: first ?? Number.NaN,
          least: least ?? Number.NaN,
          parts: parts.map(([asker, at, size, flips, descents]) => ({ asker, at, size, flips, descents })),
        }));
    },
  };
}

/** JSON has no infinities. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
