import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zip } from '../container/zip.fixture.ts';
import { bytes, call, op, PAYLOAD, pickle, text } from '../pickle/pickle.fixture.ts';
import { dict, floats, legacyTorch, tensor, torchZip } from '../torch/torch.fixture.ts';
import { rewriteCheckpoint } from './rewrite.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-rewrite-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Header {
  readonly [name: string]: {
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data_offsets: readonly [number, number];
  };
}

/** Rewrites a checkpoint and reads the result with a reader of its own. */
async function rewritten(content: Uint8Array) {
  const [path, out] = [join(folder, 'in.pt'), join(folder, 'out.safetensors')];
  await writeFile(path, content);
  const result = await rewriteCheckpoint(path, out);
  const file = await readFile(out);
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(file.subarray(8, 8 + length).toString()) as Header;
  expect(__metadata__).toEqual({ format: 'pt' });
  expect(length % 8).toBe(0);
  const data = file.subarray(8 + length);
  const tensors = Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const part = new Uint8Array(data.subarray(from, to));
        return [name, { dtype, shape, values: [...new Float32Array(part.buffer)] }];
      },
    ),
  );
  return { result, tensors };
}

const root = dict([
  ['a.weight', tensor({ key: '0', elements: 6, shape: [2, 3], strides: [3, 1] })],
  ['turned', tensor({ key: '0', elements: 6, shape: [3, 2], strides: [1, 3] })],
  ['part', tensor({ key: '0', elements: 6, shape: [2], strides: [1], offset: 4 })],
  ['none', tensor({ key: '0', elements: 6, shape: [0, 3], strides: [3, 1] })],
  ['scalar', tensor({ key: '0', elements: 6, shape: [], strides: [], offset: 5 })],
  ['epoch', op('BININT1', 3)],
  ['nested', dict([['w', tensor({ key: '0', elements: 6, shape: [1], strides: [1] })]])],
]);
const storage = floats(1, 2, 3, 4, 5, 6);
const expected = {
  'a.weight': { dtype: 'F32', shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
  turned: { dtype: 'F32', shape: [3, 2], values: [1, 4, 2, 5, 3, 6] },
  part: { dtype: 'F32', shape: [2], values: [5, 6] },
  none: { dtype: 'F32', shape: [0, 3], values: [] },
  scalar: { dtype: 'F32', shape: [], values: [6] },
  'nested.w': { dtype: 'F32', shape: [1], values: [1] },
};

describe('rewriteCheckpoint', () => {
  it('takes every tensor of an archive over, views included', async () => {
    const { result, tensors } = await rewritten(torchZip(root, { 0: storage }));
    expect(tensors).toEqual(expected);
    expect(result).toEqual({ tensors: 6, bytes: 4 * (6 + 6 + 2 + 0 + 1 + 1), left: [] });
  });

  it('takes every tensor of a legacy file over', async () => {
    expect((await rewritten(legacyTorch(root, [['0', storage]]))).tensors).toEqual(expected);
  });

  it('takes tensors out of a malicious checkpoint and runs nothing', async () => {
    const evil = dict([
      ['w', tensor({ key: '0', elements: 6, shape: [6], strides: [1] })],
      ['x', PAYLOAD],
    ]);
    const { tensors } = await rewritten(torchZip(evil, { 0: storage }));
    expect(Object.keys(tensors)).toEqual(['w']);
  });

  it('names tensors that it leaves', async () => {
    const some = dict([
      ['good', tensor({ key: '0', elements: 6, shape: [6], strides: [1] })],
      ['past', tensor({ key: '0', elements: 6, shape: [7], strides: [1] })],
      ['sparse', call('torch._utils', '_rebuild_sparse_tensor', op('NONE'))],
    ]);
    const { result } = await rewritten(torchZip(some, { 0: storage }));
    expect(result.left.map(({ name }) => name)).toEqual(['past', 'sparse']);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a pickle that is no checkpoint', pickle(op('NONE')), /another pickle/],
    ['an archive that is no checkpoint', zip([{ name: 'a', content: 'x' }]), /without data\.pkl/],
    ['a checkpoint without tensors', torchZip(dict([]), {}), /with tensors, got none/],
    ['a broken pickle', zip([{ name: 'data.pkl', content: bytes(op('PROTO', 4), text('x')) }]), /breaks off/],
    [
      'an archive that contradicts itself',
      zip([{ name: 'data.pkl', content: pickle(root), crc: 1 }]),
      /contradicts itself/,
    ],
    ['a storage of another size', torchZip(root, { 0: storage.subarray(4) }), /20 bytes where 24/],
    [
      'numbers in the other order',
      zip([
        { name: 'data.pkl', content: pickle(root) },
        { name: 'byteorder', content: 'big' },
      ]),
      /most significant byte first/,
    ],
    ['a legacy file whose storages do not fit', legacyTorch(root, [['0', storage, 5]]), /5 elements where 6/],
  ])('refuses %s', async (_, content, message) => {
    await expect(rewritten(content)).rejects.toThrow(message);
    await expect(rewritten(content)).rejects.toMatchObject({ code: 'data/unreadable' });
  });
});
