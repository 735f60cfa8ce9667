/**
 * What a scan says about a file. Only a file that was read to its end by every scanner that knows it, and showed nothing,
 * is `clean`; one that could not be read is `unreadable`, which is never clean.
 */
export type Verdict = 'clean' | 'unreadable' | 'suspicious' | 'malicious';

/** From best to worst: what was seen outweighs what could not be seen. */
const ORDER: readonly Verdict[] = ['clean', 'unreadable', 'suspicious', 'malicious'];

/** The verdict on a whole is the worst of its parts; a whole without parts is clean. */
export function worstVerdict(verdicts: Iterable<Verdict>): Verdict {
  let worst = 0;
  for (const verdict of verdicts) worst = Math.max(worst, ORDER.indexOf(verdict));
  return ORDER[worst]!;
}
