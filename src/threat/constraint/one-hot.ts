import type { ColumnRule } from './column.ts';
import { isLevel, levelAt, levelNear } from './levels.ts';
import { fix, type Region } from './region.ts';

/** A group's 1 moves from one column to another; `off` and `on` are the inputs for 0 and 1 there. */
export interface Flip {
  readonly from: number;
  readonly to: number;
  readonly off: number;
  readonly on: number;
}

/** Sets the two columns of a flip. */
export function apply(region: Region, { from, to, off, on }: Flip): void {
  fix(region, from, off);
  fix(region, to, on);
}

/** Why the group does not have exactly one 1, or `undefined`; that all are 0 or 1 is the columns' own rule. */
export function groupViolation(
  row: Float32Array,
  group: readonly number[],
  rules: readonly ColumnRule[],
): string | undefined {
  const ones = group.filter((i) => isOne(rules[i]!, row[i]!)).length;
  if (ones === 1) return undefined;
  const names = group.slice(0, 3).map((i) => rules[i]!.name);
  return `${ones} of the one-hot group ${names.join(', ')}${group.length > 3 ? ', …' : ''} are 1`;
}

/**
 * The flips that `wish` asks for: each group's 1 goes to its greatest column (in the owner's units) that may be 1, where both columns
 * allow the change. The clearest first, as long as ball and budget have room for all of them together.
 */
export function flipsOf(
  wish: Float32Array,
  region: Region,
  rules: readonly ColumnRule[],
  groups: readonly (readonly number[])[],
): Flip[] {
  const { clean, ball, cost } = region;
  const owners = (i: number) => wish[i]! * rules[i]!.scale.std + rules[i]!.scale.mean;
  const wanted: { readonly flip: Flip; readonly margin: number }[] = [];
  for (const group of groups) {
    const from = group.find((i) => isOne(rules[i]!, clean[i]!));
    if (from === undefined) continue;
    const off = valueFor(rules[from]!, region, from, 0);
    if (off === undefined) continue;
    let best: Flip | undefined;
    for (const to of group) {
      if (to === from || owners(to) <= owners(best?.to ?? from)) continue;
      const on = valueFor(rules[to]!, region, to, 1);
      if (on !== undefined) best = { from, to, off, on };
    }
    if (best) wanted.push({ flip: best, margin: owners(best.to) - owners(from) });
  }
  wanted.sort((a, b) => b.margin - a.margin || a.flip.from - b.flip.from);
  const chosen: Flip[] = [];
  let size = 0;
  let spent = 0;
  for (const { flip } of wanted) {
    const [a, b] = [Math.abs(flip.off - clean[flip.from]!), Math.abs(flip.on - clean[flip.to]!)];
    const next =
      size + (ball.norm === 'l2' ? a * a + b * b : ball.norm === 'l1' ? a + b : ball.norm === 'l0' ? 2 : 0);
    const bill = spent + (cost ? cost.weights[flip.from]! * a + cost.weights[flip.to]! * b : 0);
    if (next > (ball.norm === 'l2' ? ball.eps ** 2 : ball.eps) * (1 + 1e-6)) continue;
    if (bill > (cost?.budget ?? 0)) continue;
    chosen.push(flip);
    size = next;
    spent = bill;
  }
  return chosen;
}

function isOne({ levels }: ColumnRule, x: number): boolean {
  return levels !== undefined && isLevel(levels, x) && Math.round(x * levels.std + levels.mean) === 1;
}

/** The input for 0 or 1 in a column that is the other now, or `undefined` where the column does not allow it. */
function valueFor({ levels }: ColumnRule, region: Region, i: number, value: 0 | 1): number | undefined {
  const target = levelAt(levels!, value);
  const [low, high] = [region.low[i]!, region.high[i]!];
  return levelNear(levels!, target, region.clean[i]!, low, high) === target ? target : undefined;
}
