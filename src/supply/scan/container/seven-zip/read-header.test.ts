import { describe, expect, it } from 'vitest';
import { readHeader } from './read-header.ts';

const LIMITS = { entries: 1000 };
const read = (...bytes: readonly number[]) => readHeader(Uint8Array.from(bytes), LIMITS, 'x');
const reasonOf = (bytes: readonly number[]) => {
  try {
    read(...bytes);
  } catch (thrown) {
    return (thrown as { code: string; message: string }).message;
  }
  return 'read';
};

/** Streams: one packed stream of three bytes, one folder of one copy. */
const PACKED = [0x06, 0, 1, 0x09, 3, 0];
const FOLDER = [0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 3, 0];
const NAME = [0x11, 5, 0, 0x61, 0, 0, 0];

describe('the header of a 7z archive', () => {
  it('lists files with the contents of folders', () => {
    const header = read(
      ...[0x01, 0x04, ...PACKED, ...FOLDER],
      ...[0x08, 0x0d, 2, 0x09, 1, 0x0a, 0, 0x40, 1, 2, 3, 4, 0, 0],
      ...[0x05, 3, 0x19, 2, 9, 9, 0x0e, 1, 0x40, 0x0f, 1, 0x80],
      ...[0x11, 13, 0, 0x61, 0, 0, 0, 0x62, 0, 0, 0, 0x63, 0, 0, 0],
      ...[0x15, 7, 0, 0x20, 0, 0, 0x80, 0xff, 0xa1],
      ...[0, 0],
    );
    const contents = [
      { size: 1, crc: undefined },
      { size: 2, crc: 0x04030201 },
    ];
    const file = { folder: false, anti: false, mode: 0, content: undefined };
    expect(header).toEqual({
      kind: 'files',
      folders: [
        {
          plan: {
            main: { method: '00', properties: new Uint8Array(0), inputs: [0], size: 3 },
            methods: ['00'],
            packedStreams: 1,
            size: 3,
          },
          start: 32,
          packedSize: 3,
          packed: [{ start: 32, size: 3 }],
          size: 3,
          crc: undefined,
          contents,
        },
      ],
      files: [
        { ...file, name: 'a', content: { of: 0, start: 0, ...contents[0] } },
        { ...file, name: 'b' },
        { ...file, name: 'c', mode: 0xa1ff, content: { of: 0, start: 1, ...contents[1] } },
      ],
    });
  });

  it('binds coders and streams of a folder to a tree', () => {
    // Three coders: one of two inputs takes a packed stream and the second coder, which takes the third.
    const [header] = read(
      ...[0x17, 0x06, 0, 2, 0x09, 3, 4, 0],
      ...[0x07, 0x0b, 1, 0, 3, 0x11, 5, 2, 1, 1, 6, 1, 7, 1, 1, 2, 2, 0, 3, 0x0c, 10, 11, 12, 0, 0],
    ).folders;
    const none = new Uint8Array(0);
    const last = { method: '07', properties: none, inputs: [1], size: 12 };
    const second = { method: '06', properties: none, inputs: [last], size: 11 };
    expect(header).toMatchObject({
      plan: { main: { method: '05', inputs: [0, second], size: 10 }, methods: ['05', '06', '07'], size: 10 },
      packed: [
        { start: 32, size: 3 },
        { start: 35, size: 4 },
      ],
      packedSize: 7,
    });
  });

  it.each<[string, readonly number[]]>([
    ['0x2 as its first byte', [0x02]],
    ['its end too early', [0x01]],
    ['bytes behind its end', [0x01, 0, 0]],
    ['additional streams', [0x01, 0x03]],
    ['the property 0x9', [0x01, 0x09]],
    ['the property 0x5 among streams', [0x17, 0x05]],
    ['the property 0xc among packed streams', [0x17, 0x06, 0, 0, 0x0c]],
    ['packed streams without sizes', [0x17, 0x06, 0, 1, 0, 0]],
    ['entries in', [0x17, 0x06, 0, 9, 0x09]],
    ['a number that no archive needs', [0x17, 0x06, 0xff, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['instead of folders', [0x17, 0x07, 0x0c]],
    ['instead of folders in the header', [0x17, 0x07, 0x0b, 1, 1, 0]],
    ['0 coders in a folder', [0x17, 0x07, 0x0b, 1, 0, 0]],
    ['33 coders in a folder', [0x17, 0x07, 0x0b, 1, 0, 33]],
    ['a coder of another kind', [0x17, 0x07, 0x0b, 1, 0, 1, 0x81, 0]],
    ['a coder of impossible shape', [0x17, 0x07, 0x0b, 1, 0, 1, 0x11, 0, 1, 2]],
    ['a coder of impossible shape', [0x17, 0x07, 0x0b, 1, 0, 1, 0x11, 0, 0, 1]],
    ['coders bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 2, 1, 0, 1, 0, 2, 0]],
    ['coders bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 2, 1, 0, 1, 0, 0, 2]],
    ['coders bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 3, 1, 0, 1, 0, 1, 0, 0, 1, 2, 1]],
    ['coders bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 3, 1, 0, 1, 0, 1, 0, 0, 1, 0, 2]],
    ['coders bound in a circle', [0x17, 0x07, 0x0b, 1, 0, 2, 1, 0, 1, 0, 1, 1]],
    ['streams bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 1, 0x11, 0, 2, 1, 0, 2]],
    ['streams bound to nothing', [0x17, 0x07, 0x0b, 1, 0, 1, 0x11, 0, 2, 1, 1, 1]],
    ['instead of the sizes of folders', [0x17, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0a]],
    ['the property 0x9 among folders', [0x17, 0x07, 0x0b, 1, 0, 1, 1, 0, 0x0c, 3, 0x09]],
    ['folders of more streams than there are', [0x17, ...FOLDER, 0]],
    ['contents in', [0x17, ...PACKED, ...FOLDER, 0x08, 0x0d, 9, 0x09, 1]],
    [
      'contents that are larger than their folder',
      [0x17, ...PACKED, ...FOLDER, 0x08, 0x0d, 2, 0x09, 4, 0, 0],
    ],
    ['contents without sizes', [0x17, ...PACKED, ...FOLDER, 0x08, 0x0d, 2, 0]],
    ['a folder that holds no file', [0x17, ...PACKED, ...FOLDER, 0x08, 0x0d, 0, 0x09, 0, 0]],
    ['the property 0x7 among contents', [0x17, ...PACKED, ...FOLDER, 0x08, 0x07]],
    ['instead of names in the header', [0x01, 0x05, 1, 0x11, 5, 1, 0x61, 0, 0, 0, 0, 0]],
    ['3 names in 4 bytes', [0x01, 0x05, 3, 0x11, 5, 0, 0x61, 0, 0x62, 0]],
    ['1 names in 5 bytes', [0x01, 0x05, 1, 0x11, 6, 0, 0x61, 0, 0, 0, 0]],
    ['other than 1 names', [0x01, 0x05, 1, 0x11, 5, 0, 0x61, 0, 0x62, 0]],
    ['other than 1 names', [0x01, 0x05, 1, 0x11, 9, 0, 0x61, 0, 0, 0, 0x62, 0, 0, 0]],
    ['more files than contents', [0x01, 0x05, 1, ...NAME, 0, 0]],
    [
      'more contents than files',
      [0x01, 0x04, ...PACKED, ...FOLDER, 0, 0x05, 1, 0x0e, 1, 0x80, ...NAME, 0, 0],
    ],
    ['instead of attributes in the header', [0x01, 0x05, 1, ...NAME, 0x15, 2, 1, 1]],
  ])('may not have %s', (reason, bytes) => {
    expect(reasonOf(bytes)).toContain(reason);
  });

  it('may not list more than a scan takes on', () => {
    const many = readHeader.bind(null, Uint8Array.from([0x01, 0x05, 3, 0, 0, 0, 0]), { entries: 2 }, 'x');
    expect(many).toThrow(expect.objectContaining({ code: 'scan/limit' }));
    const contents = [0x17, ...PACKED, ...FOLDER, 0x08, 0x0d, 4, 0x09, 0, 0, 0, 0, 0];
    expect(() => readHeader(Uint8Array.from(contents), { entries: 2 }, 'x')).toThrow('contents in');
  });
});
