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
        return { plan, measure: norm, eps: radius, radii: [radius], perSample };
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
