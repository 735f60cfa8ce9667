import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytes, op, PAYLOAD, pickle } from '../../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../../scan.fixture.ts';
import { BEHIND_PPC, FILTERED_BY_7_ZIP } from './filtered.fixture.ts';
import { sevenZip, WRITTEN_BY_7_ZIP } from './seven-zip.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

async function look(content: Uint8Array, scan: Parameters<typeof scanBytes>[2] = {}) {
  const result = await scanBytes(content, 'model.7z', scan);
  return {
    verdict: result.verdict,
    rules: ruleIds(result),
    formats: result.formats,
    findings: result.findings.map(({ place, what }) => `${place.inner.join('!')}: ${what}`),
  };
}

const archive = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const written = (name: keyof typeof WRITTEN_BY_7_ZIP) => look(archive(WRITTEN_BY_7_ZIP[name]));

describe('an archive that 7-Zip wrote', () => {
  it('is clean when its members are', async () => {
    expect(await written('clean, solid, with a folder')).toMatchObject({ verdict: 'clean', formats: ['7z'] });
  });

  it.each([
    'evil, LZMA2',
    'evil, LZMA',
    'evil, bzip2',
    'evil, Deflate',
    'evil, copied, header not packed',
    'evil, each file in a folder of its own',
  ] as const)('shows what is in it: %s', async (name) => {
    const found = await written(name);
    expect(found).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
    expect(found.findings[0]).toMatch(/^evil\.pkl: posix\.system/);
  });

  it.each(Object.entries(FILTERED_BY_7_ZIP))(
    'is read through its filters, to the last bit: %s',
    async (_, base64) => {
      // A wrong bit would be a wrong checksum, which is a finding.
      expect(await look(archive(base64))).toMatchObject({
        verdict: 'malicious',
        rules: ['pickle/dangerous-name'],
        findings: [expect.stringMatching(/^evil\.pkl: posix\.system/)],
      });
      expect(await written('BCJ and LZMA')).toMatchObject({ verdict: 'clean' });
    },
  );

  it('is not read where it has a password or an unknown method, and says so once', async () => {
    expect(await written('files encrypted')).toMatchObject({
      verdict: 'unreadable',
      rules: ['7z/encrypted'],
      findings: [': encrypted with a password'],
    });
    expect(await written('files and list encrypted')).toMatchObject({
      verdict: 'unreadable',
      rules: ['7z/encrypted'],
    });
    expect((await written('PPMd')).findings).toEqual([': packed with PPMd']);
    expect((await look(archive(BEHIND_PPC))).findings).toEqual([': packed with LZMA and PPC']);
    expect(await written('PPMd')).toMatchObject({ verdict: 'unreadable', rules: ['archive/unsupported'] });
  });

  it('may not hold a link that leads out', async () => {
    expect(await written('a link out, as a file')).toMatchObject({
      verdict: 'malicious',
      rules: ['archive/link', 'archive/link-escape'],
    });
  });
});

const one = (lies: Parameters<typeof sevenZip>[1], content: Uint8Array = CLEAN) =>
  sevenZip([{ name: 'a.pkl', content }], lies);

describe('a 7z archive that deceives is seen:', () => {
  it('and one that does not is clean', async () => {
    const content = sevenZip([
      { name: 'folder' },
      { name: 'folder/a.pkl', content: CLEAN },
      { name: 'folder/notes', content: Buffer.from('words') },
    ]);
    expect(await look(content)).toMatchObject({ verdict: 'clean', rules: [], formats: ['7z'] });
    expect(await look(sevenZip([{ name: 'folder' }]))).toMatchObject({ verdict: 'clean' });
  });

  it.each<[string, Uint8Array, string, string]>([
    ['a name that goes up', sevenZip([{ name: '../a', content: CLEAN }]), 'malicious', 'archive/path-escape'],
    [
      'a link that leads out',
      sevenZip([{ name: 'a/b', content: Buffer.from('../../etc'), mode: 0xa1ff }]),
      'malicious',
      'archive/link-escape',
    ],
    [
      'a link inside',
      sevenZip([{ name: 'a/b', content: Buffer.from('../c'), mode: 0xa1ff }]),
      'suspicious',
      'archive/link',
    ],
    [
      'a file that takes another away',
      sevenZip([{ name: 'weights', anti: true }]),
      'suspicious',
      'archive/link',
    ],
    [
      'two members of one name',
      sevenZip([
        { name: 'a', content: CLEAN },
        { name: 'A', content: EVIL },
      ]),
      'malicious',
      'archive/duplicate-name',
    ],
    [
      'a member with another checksum',
      sevenZip([{ name: 'a', content: CLEAN, crc: 1 }]),
      'suspicious',
      '7z/bad-checksum',
    ],
    ['a folder that is shorter than it says', one({ folderSize: 99 }), 'suspicious', '7z/bad-checksum'],
    ['bytes between members and header', one({ between: EVIL }), 'malicious', 'archive/bytes-outside'],
    ['bytes behind the header', bytes(one({}), EVIL), 'malicious', 'archive/bytes-outside'],
    ['another checksum of the first bytes', one({ startChecksum: 1 }), 'unreadable', 'file/damaged'],
    ['another checksum of the header', one({ headerChecksum: 1 }), 'unreadable', 'file/damaged'],
    ['a header outside of the file', one({ headerOffset: 2 ** 40 }), 'unreadable', 'file/damaged'],
    ['an archive that is cut short', one({}).subarray(0, 31), 'unreadable', 'file/damaged'],
    ['a method that is not known', one({ method: [4, 9, 9] }), 'unreadable', 'archive/unsupported'],
    ['a method with other properties', one({ properties: [1] }), 'unreadable', 'archive/unsupported'],
    [
      'damage in what is packed',
      one({ method: [0x21], properties: [8], packed: Uint8Array.of(1, 0, 2, 65, 66, 67, 9) }),
      'suspicious',
      '7z/bad-checksum',
    ],
  ])('%s', async (_, content, verdict, rule) => {
    const found = await look(content);
    expect(found.rules).toContain(rule);
    expect(found.verdict).toBe(verdict);
  });

  it('a header outside of the file is called so', async () => {
    expect((await look(one({ headerOffset: 2 ** 40 }))).findings[0]).toContain(
      'a header outside of the file',
    );
  });

  it('what is behind a wrong checksum is looked at all the same', async () => {
    const found = await look(sevenZip([{ name: 'a', content: EVIL, crc: 1 }]));
    expect(found).toMatchObject({
      verdict: 'malicious',
      rules: ['7z/bad-checksum', 'pickle/dangerous-name'],
    });
  });

  it('a bomb, which is left then', async () => {
    const zeros = new Uint8Array(6 << 20);
    const content = sevenZip([{ name: 'a', content: zeros }], {
      method: [4, 1, 8],
      packed: deflateRawSync(zeros),
    });
    const found = await look(content, { limits: { ratioFrom: 2 ** 20 } });
    expect(found.rules).toContain('archive/bomb');
    expect(found.verdict).toBe('suspicious');
  });

  it('a list that unpacks to more than a scan reads at once', async () => {
    const header = [0x17, 0x06, 0, 1, 0x09, 3, 0, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 0xf0, 0, 0, 0, 3, 0, 0];
    const found = await look(one({ header: Uint8Array.from(header), packed: new Uint8Array(3) }));
    expect(found).toMatchObject({ verdict: 'unreadable', rules: ['file/limit'] });
  });

  it('a packed list with another checksum, though it can be read', async () => {
    const list = (crc: readonly number[]) => {
      const header = [0x17, 0x06, 0, 1, 0x09, 2, 0, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 2, ...crc, 0, 0];
      return sevenZip([], { header: Uint8Array.from(header), packed: Uint8Array.of(1, 0) });
    };
    expect(await look(list([]))).toMatchObject({ verdict: 'clean' });
    expect(await look(list([0x0a, 1, 1, 2, 3, 4]))).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/damaged'],
    });
  });

  it.each<[string, readonly number[]]>([
    [
      'that is another',
      [0x17, 0x06, 0, 1, 0x09, 16, 0, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 16, 0x0a, 1, 1, 2, 3, 4, 0, 0],
    ],
    [
      'that packs itself for ever',
      [0x17, 0x06, 16, 1, 0x09, 22, 0, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 22, 0, 0],
    ],
    ['in several parts', [0x17, 0x06, 0, 1, 0x09, 16, 0, 0x07, 0x0b, 0, 0, 0x0c, 0, 0]],
  ])('a packed list %s', async (_, header) => {
    const content = one({ header: Uint8Array.from(header), packed: new Uint8Array(16) });
    expect(await look(content)).toMatchObject({ verdict: 'unreadable', rules: ['file/damaged'] });
  });
});
