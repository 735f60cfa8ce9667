import type { AttackedExample } from '../assess/examples.ts';

/**
 * At most `most` examples for the report, each sample once: one attack's, taken in turn from every eps that changed something,
 * so that a reader sees how little and how much it took; of each eps those first that the model is surest about.
 */
export function chooseExamples(
  examples: readonly AttackedExample[],
  attack: string,
  most: number,
): readonly AttackedExample[] {
  const byEps = new Map<number, AttackedExample[]>();
  for (const example of examples) {
    if (example.attack !== attack) continue;
    byEps.set(example.eps, [...(byEps.get(example.eps) ?? []), example]);
  }
  // The largest eps first: what falls to it is easiest to find elsewhere, too.
  const queues = [...byEps]
    .sort(([a], [b]) => b - a)
    .map(([, list]) => list.sort((a, b) => b.after.confidence - a.after.confidence));
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
