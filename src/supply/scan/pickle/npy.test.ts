import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { bytes, op, PAYLOAD, pickle } from './pickle.fixture.ts';

function npy(header: string, content: Uint8Array, version = 1): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(header.length, 0, length.length);
  return bytes([0x93], 'NUMPY', [version, 0], length, header, content);
}

const header = (descr: string, shape = '(2,)') =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;

async function look(content: Uint8Array) {
  const result = await scanBytes(content, 'x.npy');
  return { verdict: result.verdict, rules: ruleIds(result), formats: result.formats };
}

describe('a NumPy array', () => {
  it.each<[string, Uint8Array]>([
    ['of numbers', npy(header("'<f4'"), new Uint8Array(8))],
    ['of text', npy(header("'<U3'"), new Uint8Array(24))],
    ['without axes', npy(header("'<f8'", '()'), new Uint8Array(8))],
    ['of version 2', npy(header("'<f4'"), new Uint8Array(8), 2)],
    ['of records', npy(header("[('a', '<f4'), ('b', '<i4')]"), new Uint8Array(16))],
    ['of objects, with a clean pickle', npy(header("'|O'"), pickle(op('NONE')))],
  ])('%s is clean', async (_, content) => {
    expect(await look(content)).toEqual({ verdict: 'clean', rules: [], formats: ['npy'] });
  });

  it.each<[string, Uint8Array, string, readonly string[]]>([
    [
      'of objects runs its pickle (CVE-2019-6446)',
      npy(header("'|O'"), pickle(PAYLOAD)),
      'malicious',
      ['pickle/dangerous-name'],
    ],
    [
      'of records with an object does, too',
      npy(header("[('a', '|O')]"), pickle(PAYLOAD)),
      'malicious',
      ['pickle/dangerous-name'],
    ],
    [
      'may not be followed by a pickle',
      npy(header("'<f4'"), bytes(new Uint8Array(8), pickle(PAYLOAD))),
      'malicious',
      ['pickle/dangerous-name', 'pickle/trailing-bytes'],
    ],
    [
      'that is cut is unreadable',
      npy(header("'<f4'"), new Uint8Array(7)),
      'unreadable',
      ['pickle/trailing-bytes'],
    ],
    ['without a type is unreadable', npy('{}', new Uint8Array(0)), 'unreadable', ['file/damaged']],
    [
      'of an unknown version is unreadable',
      npy(header("'<f4'"), new Uint8Array(8), 9),
      'unreadable',
      ['file/damaged'],
    ],
    [
      'with a header past the end is unreadable',
      npy(header("'<f4'"), new Uint8Array(8)).subarray(0, 20),
      'unreadable',
      ['file/damaged'],
    ],
  ])('%s', async (_, content, verdict, rules) => {
    expect(await look(content)).toMatchObject({ verdict, rules });
  });
});
