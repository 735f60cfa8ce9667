import type { AttackedExample } from '../assess/examples.ts';

/**
 * At most `most` examples for the report, each sample once: the strongest attack's, taken in turn from every eps that changed
 * something, so that a reader sees how little and how much it took.
 */
export function chooseExamples(
  examples: readonly AttackedExample[],
  strongest: string,
  most: number,
): readonly AttackedExample[] {
  const byEps = new Map<number, AttackedExample[]>();
  for (const example of examples) {
    if (example.attack !== strongest) continue;
    byEps.set(example.eps, [...(byEps.get(example.eps) ?? []), example]);
  }
  const queues = [...byEps].sort(([a], [b]) => a - b).map(([, list]) => list);
  const chosen: AttackedExample[] = [];
  const seen = new Set<number>();
  while (chosen.length < most && queues.some((q) => q.length > 0)) {
    for (const queue of queues) {
      let next = queue.shift();
      while (next && seen.has(next.index)) next = queue.shift();
      if (!next || chosen.length === most) continue;
      seen.add(next.index);
      chosen.push(next);
    }
  }
  return chosen.sort((a, b) => a.eps - b.eps || a.index - b.index);
}
