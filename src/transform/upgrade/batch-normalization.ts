import { GlacisError } from '../../core/error.ts';
import { defineLowering } from '../lower/rule.ts';
import { renew } from './renew.ts';

/**
 * Before opset 14, a node with more than one output was one in training mode; before opset 9, `spatial = 0` normalised every
 * position of a channel by statistics of its own, `[C, D1, …]`, which is written as arithmetic. The statistics that a training
 * node saved for its own gradient (outputs 3 and 4, gone since opset 14) are left out; a model that reads them is invalid here.
 */
export const batchNormalization = defineLowering({
  op: 'BatchNormalization',
  until: 13,
  note: 'training by the number of outputs → training_mode; spatial = 0 → arithmetic',
  lower: (context) => {
    const { b, attrs, node, opset, input } = context;
    const training = node.outputs.slice(1).some((name) => name !== '');
    if (attrs.int('spatial', 1) === 1 || opset > 8) {
      const outputs = training ? Math.min(context.outputs, 3) : 1;
      return renew({ ...context, outputs }, context.inputs, {
        drop: ['spatial'],
        set: training ? { training_mode: 1 } : {},
      });
    }
    if (training)
      throw new GlacisError(
        'model/unsupported-operator',
        `${node.name} (BatchNormalization): training with spatial = 0 is not supported; export in inference mode`,
      );
    const [x, scale, bias, mean, variance] = [input(0), input(1), input(2), input(3), input(4)];
    const deviation = b.unary('Sqrt', b.add(variance, attrs.float('epsilon', 1e-5)));
    return [b.add(b.mul(b.sub(x, mean), b.div(scale, deviation)), bias)];
  },
});

/** `GroupNormalization` of opset 18 had one scale and bias a group; opset 21 has one a channel. */
export const groupNormalization = defineLowering({
  op: 'GroupNormalization',
  since: 18,
  until: 20,
  note: 'scale and bias: a group → a channel',
  lower: (context) => {
    const { b, attrs, input } = context;
    const groups = attrs.int('num_groups');
    const channels = input(0).dims[1]!;
    const perChannel = (i: number) =>
      b.reshape(b.expand(b.reshape(input(i), [groups, 1]), [groups, channels / groups]), [channels]);
    return renew(context, [input(0), perChannel(1), perChannel(2)]);
  },
});
