import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { vjp } from '../../transform/gradient/vjp.ts';
import type { Ops } from '../../transform/ops.ts';
import { innerAttack, type TrainingConstraint } from './inner-attack.ts';
import type { Objective } from './objective.ts';
import { softmax } from './softmax.ts';
import { checkedThreat, type TrainingThreat } from './threat.ts';

/** Keeps logarithms finite, as in the published code. */
const GUARD = 1e-4;

/**
 * MART (Wang et al. 2020): boosted cross-entropy of the attacked samples, `−log q_y − log(1 − max_{k≠y} q_k)`, plus `lambda` times
 * `KL(p ‖ q) · (1 − p_y)`, which weighs samples that are wrong already more; `p` and `q` are the softmaxes of the sample and of the sample
 * attacked by PGD on the cross-entropy. The paper takes 5 or 6. For classifiers with exclusive classes and labels that are whole.
 */
export function mart(threat: TrainingThreat, lambda = 5, under?: TrainingConstraint): Objective {
  if (!(lambda >= 0 && Number.isFinite(lambda)))
    throw new GlacisError('option/invalid', `lambda: expected a number of at least 0, got ${lambda}`);
  const { samples, ...attack } = innerAttack(checkedThreat(threat), 'loss', under);
  return {
    name: 'mart',
    isAdditive: true,
    ...attack,
    options: { ...attack.options, lambda },
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      if (criterion.name !== 'cross-entropy')
        throw new GlacisError(
          'option/invalid',
          `mart: expected whole labels and cross-entropy, got ${criterion.name}`,
        );
      const attacked = samples(scene);
      const [outputs, moved] = [forward(x), forward(attacked)];
      const losses = martLoss(b, outputs, moved, targets, lambda);
      const [first, second] = vjp(
        b,
        [{ value: losses, grad: b.full(losses.dims, 1, losses.dtype) }],
        [outputs, moved],
      );
      const hits = criterion.write(b, outputs, targets).hits!;
      return {
        losses,
        seeds: [
          { value: outputs, grad: first! },
          { value: moved, grad: second! },
        ],
        constants: [attacked],
        hits,
        robustHits: criterion.write(b, moved, targets).hits!,
      };
    },
  };
}

function martLoss(b: Ops, outputs: Value, moved: Value, labels: Value, lambda: number): Value {
  const [p, q] = [softmax(b, outputs), softmax(b, moved)];
  const classes = outputs.dims[1]!;
  const column = b.unsqueeze(labels, [1]);
  const at = (v: Value) => b.squeeze(b.node('GatherElements', [v, column], { axis: 1 }), [1]);
  const numbers = b.builder.constant({
    dtype: 'int64',
    dims: [1, classes],
    data: new Uint8Array(BigInt64Array.from({ length: classes }, (_, k) => BigInt(k)).buffer),
  });
  const own = b.compare('Equal', column, numbers);
  const runnerUp = b.reduceMax(b.where(own, 0, q), [1]);
  const logq = b.node('LogSoftmax', [moved], { axis: -1 });
  const boosted = b.neg(b.add(at(logq), b.unary('Log', b.add(b.sub(1, runnerUp), GUARD))));
  const gap = b.sub(b.node('LogSoftmax', [outputs], { axis: -1 }), logq);
  const apart = b.sum(b.mul(p, gap), [1]);
  return b.add(boosted, b.mul(b.mul(apart, b.sub(1, at(p))), lambda));
}
