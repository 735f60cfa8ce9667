import { expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { StartingModel } from '../starting-model.ts';
import { checkPrivateStart } from './private-start.ts';

const start = (kept: readonly string[], reinitialised?: boolean): StartingModel => ({
  model: new GraphBuilder().build({}),
  digest: 'sha256:0',
  origin:
    reinitialised === undefined
      ? { recipe: 'mlp' }
      : { file: 'm.onnx', digest: 'sha256:0', reinitialised, floatTwin: false },
  notes: [],
  kept,
});

it('takes what is kept of a file on the user’s word only', () => {
  expect(checkPrivateStart(start([]), false)).toBe('drawn');
  expect(checkPrivateStart(start([], true), false)).toBe('drawn');
  expect(checkPrivateStart(start(['w'], false), true)).toBe('said to be public');
  expect(checkPrivateStart(start(['table'], true), true)).toBe('said to be public');
  expect(() => checkPrivateStart(start(['w'], false), false)).toThrow(/--reinitialise, which draws/);
  const tables = ['a', 'b', 'c', 'd', 'e', 'f'];
  expect(() => checkPrivateStart(start(tables, true), false)).toThrow(
    /6 arrays that stay as they are \(a, b, c, d, e, …\).*--reinitialise and --public-weights together/,
  );
  expect(() => checkPrivateStart(start([], true), true)).toThrow(/all drawn anew/);
});
