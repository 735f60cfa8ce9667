import type { Value } from '../../onnx/graph-builder.ts';
import type { Session } from '../../runtime/engine.ts';
import type { Oracle } from '../../runtime/oracle.ts';
import type { TargetGraph, WhiteBoxTarget } from '../../runtime/target.ts';

/** A point that an attack asked the model about. */
export interface Seen {
  readonly x: Float32Array;
  readonly logits: Float32Array;
  /** Samples that the model was asked about until then, this one included. */
  readonly queries: number;
}

/** What was seen of an attack on one sample. */
export interface Trail {
  /** Notes `rows` points and what the model said of them. */
  saw(points: Float32Array, logits: Float32Array, rows: number): void;
  /** At most `most` of the points, evenly over the way, the first and the last among them. */
  some(most: number): readonly Seen[];
}

/** Points kept at a time: beyond, every other one is let go. */
const MOST_KEPT = 512;

/**
 * Remembers the way of an attack in bounded memory. `keeps` says whether a point belongs to the way: for an attack by gradients each does, for one that tries
 * proposals only what was better than all before.
 */
export function openTrail(
  size: number,
  classes: number,
  keeps: (x: Float32Array, logits: Float32Array) => boolean,
): Trail {
  let kept: Seen[] = [];
  let every = 1;
  let offered = 0;
  let last: Seen | undefined;
  let queries = 0;
  return {
    saw(points, logits, rows) {
      for (let row = 0; row < rows; row++) {
        queries++;
        const x = points.subarray(row * size, (row + 1) * size);
        const said = logits.subarray(row * classes, (row + 1) * classes);
        if (!keeps(x, said)) continue;
        last = { x: x.slice(), logits: said.slice(), queries };
        if (offered++ % every === 0) kept.push(last);
        if (kept.length < MOST_KEPT) continue;
        kept = kept.filter((_, i) => i % 2 === 0);
        every *= 2;
      }
    },
    some(most) {
      const all = last === undefined || kept.at(-1) === last ? kept : [...kept, last];
      if (all.length <= most) return all;
      return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
    },
  };
}

/**
 * The same model, but every point that an attack asks about is noted. For one sample in batches of one: where the file fixes a larger batch, the rows behind the
 * first repeat it. Runs one after another, so that the way has an order.
 */
export function watchedTarget(target: WhiteBoxTarget, trail: Trail): WhiteBoxTarget {
  const watched = (session: Session): Session => ({
    ...session,
    async run(feeds, options) {
      const x = feeds[target.input]!.data as Float32Array;
      const point = options?.transfer ? x.slice() : x;
      const out = await session.run(feeds, options);
      if (out.logits) trail.saw(point, out.logits.data as Float32Array, 1);
      return out;
    },
  });
  return {
    ...target,
    lanes: undefined,
    compile: async (
      key: string,
      batch: number,
      build: (graph: TargetGraph) => Readonly<Record<string, Value>>,
    ) => watched(await target.compile(key, batch, build)),
  };
}

/** The same answers, noted. */
export function watchedOracle(oracle: Oracle, trail: Trail): Oracle {
  return {
    ...oracle,
    async ask(points, n, signal) {
      const asked = points.slice();
      const logits = await oracle.ask(points, n, signal);
      trail.saw(asked, logits, n);
      return logits;
    },
  };
}
