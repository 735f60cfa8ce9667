import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytes, op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { tar } from './tar.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

async function look(content: Uint8Array) {
  const result = await scanBytes(content, 'model.tar');
  return {
    verdict: result.verdict,
    rules: ruleIds(result),
    findings: result.findings,
    formats: result.formats,
  };
}

describe('a tar archive', () => {
  it('is clean when its members are', async () => {
    const content = tar([
      { name: 'folder/', type: '5' },
      { name: 'folder/a.pkl', content: CLEAN },
    ]);
    expect(await look(content)).toMatchObject({ verdict: 'clean', formats: ['tar'] });
    expect(await look(new Uint8Array(gzipSync(content)))).toMatchObject({
      verdict: 'clean',
      formats: ['gzip'],
    });
  });

  it.each<[string, Uint8Array, string, readonly string[]]>([
    ['a payload in a member', tar([{ name: 'x', content: EVIL }]), 'malicious', ['pickle/dangerous-name']],
    [
      'a payload in a compressed archive',
      new Uint8Array(gzipSync(tar([{ name: 'x', content: EVIL }]))),
      'malicious',
      ['pickle/dangerous-name'],
    ],
    ['a name that goes up', tar([{ name: '../x', content: CLEAN }]), 'malicious', ['archive/path-escape']],
    [
      'a long name that goes up',
      tar([
        { name: '././@LongLink', type: 'L', content: '../evil\0' },
        { name: 'short', content: CLEAN },
      ]),
      'malicious',
      ['archive/path-escape'],
    ],
    [
      'a pax name that goes up',
      tar([
        { name: 'pax', type: 'x', content: '16 path=../evil\n' },
        { name: 'short', content: CLEAN },
      ]),
      'malicious',
      ['archive/path-escape'],
    ],
    [
      'a symbolic link that leads out',
      tar([{ name: 'a/b', type: '2', target: '../../etc' }]),
      'malicious',
      ['archive/link-escape'],
    ],
    [
      'a hard link that leads out',
      tar([{ name: 'a/b', type: '1', target: '../etc' }]),
      'malicious',
      ['archive/link-escape'],
    ],
    [
      'a symbolic link inside',
      tar([{ name: 'a/b', type: '2', target: '../c' }]),
      'suspicious',
      ['archive/link'],
    ],
    ['a device', tar([{ name: 'null', type: '3' }]), 'suspicious', ['archive/link']],
    [
      'two members of one name',
      tar([
        { name: 'a', content: CLEAN },
        { name: 'a', content: EVIL },
      ]),
      'malicious',
      ['archive/duplicate-name', 'pickle/dangerous-name'],
    ],
    [
      'a member past the end',
      tar([{ name: 'a', content: CLEAN, size: 99_999 }]),
      'unreadable',
      ['file/damaged'],
    ],
    [
      'bytes behind the end',
      bytes(tar([{ name: 'a', content: CLEAN }]), EVIL),
      'malicious',
      ['archive/bytes-outside', 'pickle/dangerous-name'],
    ],
    [
      'a header that is none, in the middle',
      bytes(tar([{ name: 'a', content: CLEAN }], new Uint8Array(0)), new Uint8Array(512).fill(65)),
      'unreadable',
      ['file/damaged'],
    ],
    [
      "PyTorch's oldest format (CVE-2025-32434)",
      tar([
        { name: 'pickle', content: CLEAN },
        { name: 'storages', content: CLEAN },
        { name: 'tensors', content: CLEAN },
      ]),
      'suspicious',
      ['torch/legacy-tar'],
    ],
  ])('shows %s', async (_, content, verdict, rules) => {
    const found = await look(content);
    expect(found.rules).toEqual(rules);
    expect(found.verdict).toBe(verdict);
  });
});
