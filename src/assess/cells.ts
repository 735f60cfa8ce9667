import type { PlannedAttack } from '../attack/registry.ts';
import type { Norm } from '../threat/norm.ts';
import type { ResultNorm } from './result.ts';
import type { Cell } from './summarise.ts';

/** Every budget that has a result, in the cells' order. */
export function budgetsOf(
  cells: readonly Cell[],
): readonly { readonly measure: ResultNorm; readonly eps: number }[] {
  const all = cells.flatMap(({ measure, radii }) => radii.map((eps) => ({ measure, eps })));
  return [...new Map(all.map((budget) => [`${budget.measure} ${budget.eps}`, budget])).values()];
}

const INHERITED = 'samples that fell at a smaller eps were not attacked again';

/** Whether what fell within a smaller eps counts within a larger one: examples that share something are made for one eps. */
function inherits({ attack }: PlannedAttack): boolean {
  return attack.seeks === 'ball' && attack.shared === undefined;
}

/** The number of the cell whose fallen samples have fallen in `cell`, too: the same attack at the next smaller eps. */
export function inheritedBy(cell: Cell, cells: readonly Cell[]): number | undefined {
  if (!inherits(cell.plan)) return undefined;
  let nearest: number | undefined;
  for (const [i, { plan, measure, eps }] of cells.entries())
    if (plan === cell.plan && measure === cell.measure && eps < cell.eps)
      if (nearest === undefined || eps > cells[nearest]!.eps) nearest = i;
  return nearest;
}

/**
 * Every eps with every attack, in that order, then the attacks that run once: those that look for the nearest example, and those
 * with a threat of their own. A second run of an attack gets a number in its file's name.
 */
export function cellsOf(
  plans: readonly PlannedAttack[],
  norm: Norm,
  eps: readonly number[],
): readonly Cell[] {
  const names = new Set<string>();
  const named = (plan: PlannedAttack, measure: ResultNorm, of: string) => {
    for (let i = 1; ; i++) {
      const name = `${plan.attack.id}${i > 1 ? `-${i}` : ''}-${measure}${of}.npz`;
      if (names.has(name)) continue;
      names.add(name);
      return name;
    }
  };
  const inBalls = eps.flatMap((radius) =>
    plans
      .filter(({ attack }) => attack.seeks === 'ball')
      .map((plan): Cell => {
        const perSample = named(plan, norm, `-${Number(radius.toPrecision(6))}`);
        const note = inherits(plan) && radius > Math.min(...eps) ? INHERITED : undefined;
        return { plan, measure: norm, eps: radius, radii: [radius], perSample, ...(note && { note }) };
      }),
  );
  const once = plans
    .filter(({ attack }) => attack.seeks !== 'ball')
    .map((plan): Cell => {
      const { threat } = plan.attack;
      if (!threat)
        return { plan, measure: norm, eps: Math.max(...eps), radii: eps, perSample: named(plan, norm, '') };
      const size = threat.size(plan.options);
      return { plan, measure: threat.id, eps: size, radii: [size], perSample: named(plan, threat.id, '') };
    });
  return [...inBalls, ...once];
}
