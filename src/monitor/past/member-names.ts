/** Names of members that are looked for in a line of JSON. */
const NAMES = [
  ...['index', 'decision', 'who', 'id', 'model', 'at', 'entry', 'version', 'digest', 'n', 'outcome'],
  ...['because', 'detail', 'guards', 'input', 'top', 'divergence', 'bucket', 'sketch'],
  ...['principal', 'tenant', 'credential', 'address'],
  ...['guard', 'action', 'score', 'shape', 'mean', 'deviation', 'least', 'most'],
] as const;
type Name = (typeof NAMES)[number];
/** How many there are: fewer than 32, a bit each. */
export const COUNT = NAMES.length;
const BYTES = NAMES.map((name) => Uint8Array.from(Buffer.from(name)));
/** The number of each name. */
export const F = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Readonly<Record<Name, number>>;

/** Name + 1 by a hash of first, last and length, the next free place where two share one. */
const SLOTS = 256;
const hashOf = (first: number, last: number, length: number): number =>
  (first + 9 * last + 8 * length) & (SLOTS - 1);
const TABLE = new Uint8Array(SLOTS);
for (const [i, bytes] of BYTES.entries()) {
  let at = hashOf(bytes[0]!, bytes.at(-1)!, bytes.length);
  while (TABLE[at] !== 0) at = (at + 1) & (SLOTS - 1);
  TABLE[at] = i + 1;
}

/** The number of the name that stands from `from` to `to`; −1 for one that nobody looks for. */
export function nameAt(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return -1;
  let at = hashOf(bytes[from]!, bytes[to - 1]!, to - from);
  for (; TABLE[at] !== 0; at = (at + 1) & (SLOTS - 1)) {
    const name = BYTES[TABLE[at]! - 1]!;
    if (name.length !== to - from) continue;
    let i = 0;
    while (i < name.length && name[i] === bytes[from + i]) i++;
    if (i === name.length) return TABLE[at]! - 1;
  }
  return -1;
}
