import { describe, expect, it } from 'vitest';
import { op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { ZIP_BYPASSES } from './bypasses.fixture.ts';
import { type FixtureMember, zip } from './zip.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

async function look(content: Uint8Array, scan: Parameters<typeof scanBytes>[2] = {}) {
  const result = await scanBytes(content, 'model.zip', scan);
  return {
    verdict: result.verdict,
    rules: ruleIds(result),
    findings: result.findings,
    formats: result.formats,
  };
}

const one = (member: Partial<FixtureMember>) => zip([{ name: 'a.pkl', content: CLEAN, ...member }]);

describe('a zip archive', () => {
  it('is clean when its members are, stored and deflated', async () => {
    const found = await look(
      zip([
        { name: 'a.pkl', content: CLEAN },
        { name: 'b/c.pkl', content: CLEAN, deflate: true },
        { name: 'd/' },
      ]),
    );
    expect(found).toMatchObject({ verdict: 'clean', formats: ['zip'] });
  });

  it.each(['same', 'needed'] as const)(
    'is read by its 64-bit directory where it has one: %s',
    async (wide) => {
      const found = await look(zip([{ name: 'a.pkl', content: EVIL }], undefined, undefined, wide));
      expect(found).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
    },
  );

  it('names the way to what it holds, through archives in archives', async () => {
    const inner = zip([{ name: 'weights.bin', content: EVIL, deflate: true }]);
    const { verdict, findings } = await look(zip([{ name: 'inner.dat', content: inner }]));
    expect(verdict).toBe('malicious');
    expect(findings[0]!.place).toMatchObject({ file: 'model.zip', inner: ['inner.dat', 'weights.bin'] });
  });

  it('shows members that nobody knows as unreadable, and lets text pass', async () => {
    const found = await look(
      zip([
        { name: 'x', content: new Uint8Array(9).fill(0xfe) },
        { name: 'readme', content: 'words' },
      ]),
    );
    expect(found).toMatchObject({ verdict: 'unreadable', rules: ['file/unknown-format'] });
  });
});

describe('a zip archive that deceives is seen:', () => {
  it.each(Object.entries(ZIP_BYPASSES))('%s', async (_, [content, verdict, rules]) => {
    const found = await look(content);
    expect(found.rules).toEqual(rules);
    expect(found.verdict).toBe(verdict);
  });
});

describe('a zip archive that exhausts', () => {
  const nested = (depth: number): ReturnType<typeof zip> =>
    depth === 0 ? CLEAN : zip([{ name: 'z', content: nested(depth - 1), deflate: true }]);

  it('ends at the depth', async () => {
    expect(await look(nested(14))).toMatchObject({ verdict: 'unreadable', rules: ['file/limit'] });
    expect(await look(nested(11))).toMatchObject({ verdict: 'clean' });
  });

  it('ends at the number of members', async () => {
    const many = zip(Array.from({ length: 50 }, (_, i) => ({ name: `${i}`, content: 'x' })));
    expect(await look(many, { limits: { entries: 20 } })).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/limit'],
    });
  });

  it('ends at the bytes that come out', async () => {
    const zeros = one({ content: new Uint8Array(1 << 20), deflate: true });
    expect(await look(zeros, { limits: { unpackedBytes: 1000 } })).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/limit'],
    });
  });

  it('ends at the ratio', async () => {
    const bomb = one({ content: new Uint8Array(4 << 20), deflate: true });
    const found = await look(bomb, { limits: { ratioFrom: 2 ** 20 } });
    expect(found.rules).toContain('archive/bomb');
    expect(found.verdict).toBe('suspicious');
  });

  it('still shows what was found before', async () => {
    const evilFirst = zip([
      { name: 'a', content: EVIL },
      { name: 'b', content: nested(14) },
    ]);
    expect(await look(evilFirst)).toMatchObject({ verdict: 'malicious' });
  });
});
