import { elementCount } from '../../onnx/tensor.ts';
import { f32 } from '../../runtime/array.ts';
import { PERTURBATION } from '../objective/free.ts';
import type { OutsideAttack } from '../objective/objective.ts';
import type { ConstrainedAttack } from './constrained-attack.ts';
import { projectedRows } from './projected-rows.ts';

/**
 * The attack of "free" training under a constraint: the step's own graph moves the perturbation that it keeps, and what the network sees are the
 * samples with it, projected onto the constraint.
 */
export function keptAttack({
  threat: { norm, bounds },
  constraint,
}: Pick<OutsideAttack, 'threat' | 'constraint'>): ConstrainedAttack {
  return {
    async attack({ x, eps, kept }) {
      const clean = x.data as Float32Array;
      const moved = kept!(PERTURBATION).data as Float32Array;
      const iterates = clean.map((value, i) => value + moved[i]!);
      const size = elementCount(x.dims.slice(1));
      return f32(projectedRows(iterates, clean, size, { norm, eps, bounds, constraint }), x.dims);
    },
    close: async () => undefined,
  };
}
