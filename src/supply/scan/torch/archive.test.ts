import { describe, expect, it } from 'vitest';
import { zip } from '../container/zip.fixture.ts';
import { bytes, call, name, op, PAYLOAD, pickle, text } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { dict, legacyTorch, tensor, torchZip } from './torch.fixture.ts';

async function look(content: Uint8Array) {
  const result = await scanBytes(content, 'model.pt');
  return { verdict: result.verdict, rules: ruleIds(result), formats: result.formats };
}

const weight = { key: '0', elements: 4, shape: [2, 2], strides: [2, 1] };
const NOISE = new Uint8Array([
  0xfe, 0xfe, 0xff, 0xfe, 0xfe, 0xfe, 0xff, 0xfe, 0xfe, 0xfe, 0xff, 0xfe, 0xfe, 0xfe, 0xff, 0xfe,
]);

describe('a PyTorch archive', () => {
  it('is clean, raw storages included', async () => {
    const content = torchZip(dict([['weight', tensor(weight)]]), { 0: NOISE });
    expect(await look(content)).toEqual({ verdict: 'clean', rules: [], formats: ['zip'] });
  });

  it('has the checksums of its pickles looked at, and not those of raw storages', async () => {
    const wrong = (name: string, content: Uint8Array) => [{ name, content, crc: 1 }];
    const raw = torchZip(dict([]), {}, wrong('model/data/0', NOISE));
    expect(await look(raw)).toMatchObject({ verdict: 'clean' });
    const other = torchZip(dict([]), {}, wrong('model/extra.pkl', pickle(op('NONE'))));
    expect(await look(other)).toMatchObject({ rules: ['zip/bad-checksum'] });
  });

  it.each<[string, Uint8Array, string, readonly string[]]>([
    ['a payload in its pickle', torchZip(PAYLOAD, {}), 'malicious', ['pickle/dangerous-name']],
    [
      'a payload in a storage',
      torchZip(dict([['w', tensor({ ...weight, elements: 11 })]]), {
        0: bytes(pickle(PAYLOAD), new Uint8Array(44 - pickle(PAYLOAD).length)),
      }),
      'malicious',
      ['pickle/dangerous-name'],
    ],
    [
      'a tensor past its storage',
      torchZip(tensor({ ...weight, shape: [2, 3], strides: [3, 1] }), { 0: NOISE }),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'a tensor that begins past its storage',
      torchZip(tensor({ ...weight, offset: 1 }), { 0: NOISE }),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'strides past the storage',
      torchZip(tensor({ ...weight, strides: [2, 100] }), { 0: NOISE }),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'negative strides',
      torchZip(tensor({ ...weight, strides: [2, -1] }), { 0: NOISE }),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'a storage that is smaller than described',
      torchZip(tensor(weight), { 0: NOISE.subarray(0, 8) }),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    ['a storage that is missing', torchZip(tensor(weight), {}), 'malicious', ['pickle/storage-mismatch']],
    [
      'a storage of two sizes',
      torchZip(
        dict([
          ['a', tensor(weight)],
          ['b', tensor({ ...weight, elements: 3, shape: [3], strides: [1] })],
        ]),
        { 0: NOISE.subarray(0, 12) },
      ),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'SETITEM on a tensor (CVE-2026-24747)',
      torchZip(bytes(tensor(weight), op('BININT1', 0), op('BININT1', 0), op('SETITEM')), { 0: NOISE }),
      'malicious',
      ['pickle/items-on-other'],
    ],
    [
      'a persistent id of another shape',
      torchZip(bytes(text('module'), op('BINPERSID')), {}),
      'suspicious',
      ['pickle/persistent-id'],
    ],
    [
      'a storage type of its own',
      torchZip(
        bytes(
          op('MARK'),
          text('storage'),
          name('collections', 'OrderedDict'),
          text('0'),
          text('cpu'),
          op('BININT1', 1),
          op('TUPLE'),
          op('BINPERSID'),
        ),
        {},
      ),
      'suspicious',
      ['pickle/persistent-id'],
    ],
    [
      'a member that nobody knows',
      torchZip(dict([]), {}, [{ name: 'model/extra', content: NOISE }]),
      'unreadable',
      ['file/unknown-format'],
    ],
    [
      'a name of TorchScript outside TorchScript',
      torchZip(call('__torch__.Net', 'Net'), {}),
      'suspicious',
      ['pickle/unknown-name'],
    ],
  ])('shows %s', async (_, content, verdict, rules) => {
    expect(await look(content)).toMatchObject({ rules, verdict });
  });
});

describe('TorchScript', () => {
  const script = (code: string, data = call('__torch__.Net', 'Net')) =>
    zip([
      { name: 'net/data.pkl', content: pickle(data) },
      { name: 'net/constants.pkl', content: pickle(op('EMPTY_TUPLE')) },
      { name: 'net/code/__torch__.py', content: code },
      { name: 'net/version', content: '3\n' },
    ]);

  it('is clean with its own classes and operators', async () => {
    expect(await look(script('return torch.relu(x)\n_0 = ops.prim.NumToTensor(1)\n'))).toMatchObject({
      verdict: 'clean',
    });
  });

  it('is malicious when it reads or writes files', async () => {
    expect(await look(script('torch.save(x, "/tmp/y")'))).toMatchObject({
      verdict: 'malicious',
      rules: ['torchscript/file-access'],
    });
    expect(await look(script('_0 = ops.aten.from_file("/etc/passwd")'))).toMatchObject({
      rules: ['torchscript/file-access'],
    });
  });

  it('is suspicious when it calls libraries that nobody knows', async () => {
    expect(await look(script('_0 = ops.mine.run(x)'))).toMatchObject({
      verdict: 'suspicious',
      rules: ['torchscript/custom-operators'],
    });
  });

  it('may not import names of Python', async () => {
    expect(await look(script('', PAYLOAD))).toMatchObject({ verdict: 'malicious' });
    expect(await look(script('', call('__torch__.os', 'system.x')))).toMatchObject({
      verdict: 'suspicious',
      rules: ['pickle/dotted-name'],
    });
  });
});

describe("PyTorch's format before 1.6", () => {
  const root = dict([['weight', tensor(weight)]]);

  it('is clean, raw storages included', async () => {
    expect(await look(legacyTorch(root, [['0', NOISE]]))).toEqual({
      verdict: 'clean',
      rules: [],
      formats: ['pickle'],
    });
  });

  it.each<[string, Uint8Array, string, readonly string[]]>([
    ['a payload', legacyTorch(bytes(PAYLOAD), []), 'malicious', ['pickle/dangerous-name']],
    [
      'a storage of another size',
      legacyTorch(root, [['0', NOISE, 3]]),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    ['a storage that is missing', legacyTorch(root, []), 'malicious', ['pickle/storage-mismatch']],
    [
      'a storage that is not described',
      legacyTorch(dict([]), [['0', NOISE]]),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'a storage that is cut',
      legacyTorch(root, [['0', NOISE]]).subarray(0, -4),
      'malicious',
      ['pickle/storage-mismatch'],
    ],
    [
      'bytes behind the storages',
      bytes(legacyTorch(root, [['0', NOISE]]), NOISE),
      'unreadable',
      ['pickle/trailing-bytes'],
    ],
    [
      'a pickle behind the storages',
      bytes(legacyTorch(root, [['0', NOISE]]), pickle(PAYLOAD)),
      'malicious',
      ['pickle/dangerous-name'],
    ],
    [
      'a magic number that a call gives',
      legacyTorch(root, [['0', NOISE]], call('builtins', 'eval', text('0x1950a86a20f9469cfc6c'))),
      'malicious',
      ['pickle/dangerous-name', 'pickle/persistent-id', 'pickle/trailing-bytes'],
    ],
  ])('shows %s', async (_, content, verdict, rules) => {
    expect(await look(content)).toMatchObject({ rules, verdict });
  });
});
