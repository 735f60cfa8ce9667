import { describe, it } from 'vitest';
import type { AttributeInput } from '../../../onnx/attributes.ts';
import { tensorFrom } from '../../../onnx/tensor.ts';
import { expectGradients } from '../../finite-difference.fixture.ts';
import { randomTensor } from '../../one-node.fixture.ts';

const [T, B, I, H] = [4, 2, 3, 2];

const call = (op: 'LSTM' | 'GRU' | 'RNN', attributes: Record<string, AttributeInput>) => {
  const directions = attributes.direction === 'bidirectional' ? 2 : 1;
  const rows = { LSTM: 4, GRU: 3, RNN: 1 }[op] * H;
  const random = (name: string, ...dims: number[]) => randomTensor(name, dims, -1, 1, 'float64');
  return {
    op,
    opset: 14,
    inputs: [
      random('x', T, B, I),
      random('w', directions, rows, I),
      random('r', directions, rows, H),
      random('b', directions, 2 * rows),
      tensorFrom('int32', [B], [4, 2]),
      random('h', directions, B, H),
      ...(op === 'LSTM' ? [random('c', directions, B, H), random('p', directions, 3 * H)] : []),
    ],
    constant: [4],
    outputs: op === 'LSTM' ? 3 : 2,
    types: ['float64', 'float64', 'float64'] as const,
    attributes: { hidden_size: H, ...attributes },
  };
};

describe('gradients of recurrent layers for inputs, weights and initial states', () => {
  it('LSTM, both ways, with peepholes', () =>
    expectGradients(call('LSTM', { direction: 'bidirectional' }), [0, 1, 2, 3, 5, 6, 7]));
  it('GRU, reverse', () => expectGradients(call('GRU', { direction: 'reverse' }), [0, 1, 2, 3, 5]));
  it('GRU, linear before reset', () =>
    expectGradients(call('GRU', { linear_before_reset: 1 }), [0, 1, 2, 3, 5]));
  it('RNN', () => expectGradients(call('RNN', {}), [0, 1, 2, 3, 5]));
});
