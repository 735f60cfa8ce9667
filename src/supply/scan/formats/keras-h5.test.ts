import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import {
  address,
  externalStorage,
  globalHeap,
  hdf5File,
  header,
  heapAttribute,
  link,
  oldGroup,
  oldHeader,
  PARTS_AT,
  textAttribute,
} from './hdf5/hdf5.fixture.ts';
import { hdf5Scanner } from './keras-h5.ts';

const scan = (bytes: Buffer) => scanBytes(bytes, 'model.h5', { scanners: [hdf5Scanner] });
const config = (layer: string) =>
  JSON.stringify({ class_name: 'Sequential', config: { layers: [{ class_name: layer, config: {} }] } });
const [good, bad] = [config('Dense'), config('Lambda')];

/** A file whose root group has a configuration in each of the ways there are. */
const files = (text: string): readonly (readonly [how: string, bytes: Buffer])[] => {
  const heap = globalHeap(text);
  const child = oldHeader([textAttribute('model_config', text, 1)]);
  const at = PARTS_AT + child.length;
  const group = oldGroup(at, PARTS_AT);
  const inner = header([textAttribute('model_config', text)]);
  return [
    ['a text of fixed length', hdf5File([header([textAttribute('model_config', text)])])],
    [
      'a text in the global heap',
      hdf5File(
        [heap, header([heapAttribute('model_config', text.length, PARTS_AT)])],
        PARTS_AT + heap.length,
      ),
    ],
    ['an old header', hdf5File([oldHeader([textAttribute('model_config', text, 1)])], PARTS_AT, 0)],
    [
      'a group of the old kind',
      hdf5File([child, group.parts, oldHeader([group.message])], at + group.parts.length, 0),
    ],
    ['a linked object', hdf5File([inner, header([link('a', PARTS_AT)])], PARTS_AT + inner.length)],
    [
      'a block of the user in front',
      Buffer.concat([Buffer.alloc(512), withBase(hdf5File([header([textAttribute('x', text)])]), 512)]),
    ],
  ];
};
/** The file with its base address changed. */
function withBase(bytes: Buffer, base: number): Buffer {
  address(base).copy(bytes, 12);
  return bytes;
}

describe('an HDF5 file', () => {
  it.each(files(good))('of an ordinary model is clean: %s', async (_, bytes) => {
    expect(await scan(bytes)).toMatchObject({ verdict: 'clean', formats: ['hdf5'] });
  });

  it.each(files(bad))('CVE-2024-3660, CVE-2025-9905: a Lambda layer is malicious: %s', async (_, bytes) => {
    const result = await scan(bytes);
    expect([result.verdict, ruleIds(result)]).toEqual(['malicious', ['keras/lambda']]);
  });

  it('that links into another file is malicious', async () => {
    expect(ruleIds(await scan(hdf5File([header([link('x', '/etc/passwd')])])))).toEqual([
      'hdf5/external-file',
    ]);
    const storage = externalStorage(PARTS_AT, '/etc/passwd');
    const result = await scan(
      hdf5File([storage.parts, header([storage.message])], PARTS_AT + storage.parts.length),
    );
    expect(result.findings.map(({ what }) => what)).toEqual(['/etc/passwd']);
    const virtual = Buffer.concat([Buffer.from([4, 3]), address(0), Buffer.alloc(4)]);
    expect(ruleIds(await scan(hdf5File([header([[0x08, virtual]])])))).toEqual(['hdf5/external-file']);
  });

  it('with links or attributes in a heap that is not read is unreadable, and without one is not', async () => {
    const info = (heap: number | undefined) =>
      Buffer.concat([Buffer.from([0, 0]), address(heap), address(undefined)]);
    for (const type of [0x02, 0x15]) {
      expect(ruleIds(await scan(hdf5File([header([[type, info(500)]])])))).toEqual(['hdf5/not-read']);
      expect((await scan(hdf5File([header([[type, info(undefined)]])]))).verdict).toBe('clean');
    }
  });

  it('behind a block of the user of any size is found, whatever the block says', async () => {
    const block = Buffer.from('plain text\n'.repeat(1000)).subarray(0, 8192);
    const bytes = Buffer.concat([
      block,
      withBase(hdf5File([header([textAttribute('x', bad)])]), 8192),
      Buffer.from('text\n'.repeat(20_000)),
    ]);
    expect((await scanBytes(bytes, 'notes.txt')).verdict).toBe('malicious');
  });

  it('whose attribute has a type that lies elsewhere is unreadable', async () => {
    const [type, body] = textAttribute('model_config', bad);
    body[1] = 1;
    expect(ruleIds(await scan(hdf5File([header([[type, body]])])))).toEqual(['hdf5/not-read']);
  });

  it('with links in circles, or a header that goes on in itself, ends', async () => {
    expect((await scan(hdf5File([header([link('self', PARTS_AT)])]))).verdict).toBe('clean');
    const again: readonly [number, Buffer] = [0x10, Buffer.concat([address(PARTS_AT + 6), address(64)])];
    await scan(hdf5File([header([again])]));
  });

  it('whose configuration writes its keys as numbers is read all the same', async () => {
    const text = bad.replaceAll('class_name', 'class\\u005fname');
    expect(ruleIds(await scan(hdf5File([header([textAttribute('c', text)])])))).toEqual(['keras/lambda']);
  });

  it('whose configuration does not parse is unreadable', async () => {
    expect(ruleIds(await scan(hdf5File([header([textAttribute('c', '{"class_name": ')])])))).toEqual([
      'file/damaged',
    ]);
  });

  it('cut off or changed in any byte throws nothing that is not said', async () => {
    for (const [, bytes] of files(bad))
      await fc.assert(
        fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.nat(255),
          fc.nat(bytes.length),
          async (at, value, end) => {
            const changed = Buffer.from(bytes);
            changed[at] = value;
            for (const part of [changed, changed.subarray(0, end)])
              expect(ruleIds(await scan(part))).not.toContain('file/scanner-failed');
          },
        ),
        { numRuns: 60 },
      );
  });
});
