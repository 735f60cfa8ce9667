import { crc32 } from 'node:zlib';

/** A member of a {@link sevenZip}; whatever is left out is what an honest writer would write. */
export interface FixtureFile {
  readonly name: string;
  /** None for a folder. */
  readonly content?: Uint8Array;
  readonly crc?: number;
  /** Unix mode, e.g. 0xa1ff for a symbolic link. */
  readonly mode?: number;
  readonly anti?: boolean;
}

/** What an archive says instead of the truth. */
export interface Lies {
  /** Id of the method, and its properties, of the one folder. */
  readonly method?: readonly number[];
  readonly properties?: readonly number[];
  /** The packed bytes, where the method is not copy. */
  readonly packed?: Uint8Array;
  readonly folderSize?: number;
  readonly startChecksum?: number;
  readonly headerChecksum?: number;
  readonly headerOffset?: number;
  /** In place of the header. */
  readonly header?: Uint8Array;
  /** Bytes between the folder and the header. */
  readonly between?: Uint8Array;
}

/** A 7z number, in its longest form where it does not fit a byte. */
export function number(value: number): number[] {
  if (value < 0x80) return [value];
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xff;
  bytes.writeBigUInt64LE(BigInt(value), 1);
  return [...bytes];
}

const u32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];

function bits(given: readonly boolean[]): number[] {
  const bytes = new Array<number>(Math.ceil(given.length / 8)).fill(0);
  for (const [i, set] of given.entries()) if (set) bytes[i >> 3]! |= 0x80 >> (i & 7);
  return bytes;
}

const property = (id: number, content: readonly number[]) => [id, ...number(content.length), ...content];

/** Writes a 7z archive byte by byte: one folder that holds all contents one after another. */
export function sevenZip(files: readonly FixtureFile[], lies: Lies = {}): Uint8Array {
  const contents = files.flatMap(({ content }) => (content ? [Buffer.from(content)] : []));
  const whole = Buffer.concat(contents);
  const packed = lies.packed ?? whole;
  const method = lies.method ?? [0];
  const properties = lies.properties ?? [];
  const streams = [
    ...[0x06, 0, 1, 0x09, ...number(packed.length), 0],
    ...[0x07, 0x0b, 1, 0, 1, method.length | (properties.length > 0 ? 0x20 : 0), ...method],
    ...(properties.length > 0 ? [...number(properties.length), ...properties] : []),
    ...[0x0c, ...number(lies.folderSize ?? whole.length), 0],
    ...[0x08, 0x0d, ...number(contents.length), 0x09],
    ...contents.slice(0, -1).flatMap((content) => number(content.length)),
    ...[0x0a, 1, ...files.flatMap(({ content, crc }) => (content ? u32(crc ?? crc32(content)) : []))],
    ...[0, 0],
  ];
  const empty = files.map(({ content }) => content === undefined);
  const ofEmpty = files.filter(({ content }) => content === undefined);
  const names = files.flatMap(({ name }) => [...Buffer.from(`${name}\0`, 'utf16le')]);
  const attributes = files.flatMap(({ mode = 0x81a4 }) => u32(((mode << 16) | 0x8000) >>> 0));
  const header = Buffer.from(
    lies.header ?? [
      0x01,
      ...(contents.length > 0 ? [0x04, ...streams] : []),
      ...[0x05, ...number(files.length)],
      ...property(0x0e, bits(empty)),
      ...property(0x10, bits(ofEmpty.map(({ anti = false }) => anti))),
      ...property(0x11, [0, ...names]),
      ...property(0x15, [1, 0, ...attributes]),
      ...[0, 0],
    ],
  );
  const between = lies.between ?? new Uint8Array(0);
  const start = Buffer.alloc(20);
  start.writeBigUInt64LE(BigInt(lies.headerOffset ?? packed.length + between.length), 0);
  start.writeBigUInt64LE(BigInt(header.length), 8);
  start.writeUInt32LE(lies.headerChecksum ?? crc32(header), 16);
  const mark = Buffer.from([
    0x37,
    0x7a,
    0xbc,
    0xaf,
    0x27,
    0x1c,
    0,
    4,
    ...u32(lies.startChecksum ?? crc32(start)),
  ]);
  return new Uint8Array(Buffer.concat([mark, start, packed, between, header]));
}

/** Archives that 7-Zip 26.02 wrote. `evil.pkl` calls os.system('echo harmless'), `clean.pkl` is [None], `notes.txt` is text. */
export const WRITTEN_BY_7_ZIP = {
  'clean, solid, with a folder':
    'N3q8ryccAARNy5M9nQAAAAAAAAAhAAAAAAAAABYLxP7gAP8AGV0AQAEObW22lISKfPcJw5ZuJJWe3oVv1VAAAAAAAIEzB64P0B3SfJ8/R0EtHqDZVxJgOQhBVwInNo3gz5knNYRG+Nfbxaldya41V5geksoFoIIAvXd3cdo8HAaJ/3iu779ngBk1oq1HGDK0Nzx1BfSCV3YnXmHKyHdsidLk0Q3AF35nWxOjU/OQrfEl1ws82Qg3oM/DjiAAFwYhAQl8AAcLAQABIwMBAQVdABAAAAyApgoBVVAuLQAA',
  'evil, LZMA2':
    'N3q8ryccAATIvtbzowAAAAAAAAAgAAAAAAAAAGDiBDbgASIAPF0AQAEOb+vHKQqQ/QHdeysbJt83dxZ9FTiqual7DYlXwnpD7TxeffBqKdojlVlMv6d8R5G5R8JOqlBaqAAAAAAAgTMHrg/SJpj9QMCQ0v99aU2PMchpachyYa3OmY4MlDg7NYcX4XV6uQ6W7lwiLdhqePvqnR/TrZzNojfCb53ElaxHq7essrnsYz8XdwPWlX0VSJlSZOnwCB/WvE0AFwZEAQlfAAcLAQABIwMBAQVdABAAAAxmCgG13n72AAA=',
  'evil, LZMA':
    'N3q8ryccAAT0mlCUoAAAAAAAAAAgAAAAAAAAAA/Vvr8AQAEOb+vHKQqQ/QHdeysbJt83dxZ9FTiqual7DYlXwnpD7TxeffBqKdojlVlMv6d8R5G5R8JOqlBaqAAAAACBMweuD9HFlIygkKB3sP6Th+GqP6kw0d3K2Nyf1HYOU9oPMQp0FZAEjzK3N7ujojzOAByJFz8SQFig3EDphtlnOSSayQoWRqW8Aq+zVu+/CXFEQfHRvif9ZsoNqK6N36VAFwY9AQljAAcLAQABIwMBAQVdABAAAAx2CgHsv4QlAAA=',
  'evil, bzip2':
    'N3q8ryccAASSO88GVwAAAAAAAABOAAAAAAAAAPwQ8eNCWmg5MUFZJlNZlnvYxQAAElPgTwJAQRAAKmbcYEIEDgAgACImoaAA9TRtpGhQAAAADIyJWh67kicD7uQmM9BJeo0nqTGEU4NWNXR7C7kinChISz3sYoABBAYAAQlXAAcLAQABAwQCAgwzAAgKAfgHkaIAAAUBGQwAAAAAAAAAAAAAAAAREwBlAHYAaQBsAC4AcABrAGwAAAAZABUGAQAggKSBAAA=',
  'evil, Deflate':
    'N3q8ryccAAQgpWCcOAAAAAAAAABOAAAAAAAAABAM/LQBMwDM/4AElSgAAAAAAAAAjAVwb3NpeJSMBnN5c3RlbZSTlIwNZWNobyBoYXJtbGVzc5SFlFKULgEEBgABCTgABwsBAAEDBAEIDDMACAoB+AeRogAABQEZDAAAAAAAAAAAAAAAABETAGUAdgBpAGwALgBwAGsAbAAAABkAFQYBACCApIEAAA==',
  'evil, copied, header not packed':
    'N3q8ryccAASGBGPxIwEAAAAAAABmAAAAAAAAADw6Nz2ABJUoAAAAAAAAAIwFcG9zaXiUjAZzeXN0ZW2Uk5SMDWVjaG8gaGFybWxlc3OUhZRSlC5ub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyBub3RlcyABBAYAAgkzgPAABwsCAAEBAAEBAAwzgPAACAoB+AeRolHhBSUAAAUCGQMAAAARJwBlAHYAaQBsAC4AcABrAGwAAABuAG8AdABlAHMALgB0AHgAdAAAABkAFQoBACCApIEggKSBAAA=',
  'evil, each file in a folder of its own':
    'N3q8ryccAAR9LWeBzQAAAAAAAAAhAAAAAAAAAOTMXCwBAA+ABJUFAAAAAAAAAF2UTmEuAAEAMoAElSgAAAAAAAAAjAVwb3NpeJSMBnN5c3RlbZSTlIwNZWNobyBoYXJtbGVzc5SFlFKULgDgAO8ADV0ANxvK7uZa0Q9nEUgAAAAAAIEzB65Pn7uMgOyYl/MZBPjjX3LOyU9MmHaKZXDnYrWgDw7LOlCbFyctboh73m9mBOZxc3hMe7L3RXEKWZs22W/Lbo+NJzhLenta2URDYbEL8SzfUOWhlgKMGdjPJzCaKzPRxGsajABltNr4FwZgAQltAAcLAQABIwMBAQVdABAAAAyAjgoBrgBWOgAA',
  'a link out, as a file':
    'N3q8ryccAAQ7epRCDQAAAAAAAABCAAAAAAAAAA3NJPABAAguLi8uLi9ldGMAAQQGAAEJDQAHCwEAASEhAQAMCQAICgEeu8ETAAAFARkMAAAAAAAAAAAAAAAAEQkAbwB1AHQAAAAVBgEAIID/oQAA',
  'files encrypted':
    'N3q8ryccAATzIB7TIAAAAAAAAABeAAAAAAAAAAJz3wZMUd/jCjSEg3lA9BqnbT619anMUiiZZPkS3UbU98nxOQEEBgABCSAABwsBAAIkBvEHARJTD5UTyWpCu1MVqWCLcIx/AiwhIQEAAQAMFBAACAoBWEfibgAABQEZAQARFQBjAGwAZQBhAG4ALgBwAGsAbAAAABUGAQAggKSBAAA=',
  'files and list encrypted':
    'N3q8ryccAATHX2ylgAAAAAAAAAAuAAAAAAAAAE5MKvrYecSeCza8s/rpFHOKqA68y50cN9AryTpWDxy1X5kMzp8QPheHGXJruzyqr01poci+z6RwooPU1V497yQRY46AZE4VyS96jbhrJEepuHOB12+TNhl92naq3YMUwKlBt+I7YjzSJMgA2ddTWrqzPl9aVKBj+LvMRwkrSHuiIMXL8hcGIAEJYAAHCwEAASQG8QcBElMPVM2eSo6yF1+29RqEGEBCfgxeCgFSeZq3AAA=',
  PPMd: 'N3q8ryccAAQT1gRyEAAAAAAAAABOAAAAAAAAAB/a/zkAf4T8MKqSVPMmtDnJYkAAAQQGAAEJEAAHCwEAASMDBAEFBgAAAQAMEAAICgFYR+JuAAAFARkGAAAAAAAAERUAYwBsAGUAYQBuAC4AcABrAGwAAAAVBgEAIICkgQAA',
  'BCJ and LZMA':
    'N3q8ryccAAQ6NHR4EQAAAAAAAABOAAAAAAAAAHnEWX8AQAEObW22lISKfPcJsaAAAAEEBgABCREABwsBAAIjAwEBBV0AEAAABAMDAQMBAAwQEAAICgFYR+JuAAAFAREVAGMAbABlAGEAbgAuAHAAawBsAAAAFQYBACCApIEAAA==',
} as const;
