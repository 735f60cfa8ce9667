import { createInflateRaw } from 'node:zlib';
import { type ByteSource, chunksOf, rangeSource } from '../../../../data/byte-source.ts';
import { bunzip2 } from '../bzip2.ts';
import { lzma2Dictionary, unlzma, unlzma2 } from '../lzma/streams.ts';
import { through } from '../unpack.ts';
import type { Folder } from './read-header.ts';

interface Packed {
  readonly packed: ByteSource;
  readonly properties: Uint8Array;
  readonly size: number;
  readonly where: string;
  readonly signal: AbortSignal | undefined;
}

interface Method {
  readonly name: string;
  /** Length of its properties. */
  readonly properties: number;
  unpack(packed: Packed): AsyncIterable<Uint8Array>;
}

/** Methods that are read, by their ids. */
const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['00', { name: 'Copy', properties: 0, unpack: ({ packed, signal }) => chunksOf(packed, signal) }],
  [
    '21',
    {
      name: 'LZMA2',
      properties: 1,
      unpack: ({ packed, properties, where, signal }) =>
        unlzma2(packed, lzma2Dictionary(properties[0]!), where, signal),
    },
  ],
  [
    '030101',
    {
      name: 'LZMA',
      properties: 5,
      unpack({ packed, properties, size, where, signal }) {
        const dictionary = new DataView(properties.buffer, properties.byteOffset, 5).getUint32(1, true);
        return unlzma(packed, 0, { properties: properties[0]!, dictionary, size }, where, signal);
      },
    },
  ],
  [
    '040108',
    {
      name: 'Deflate',
      properties: 0,
      unpack: ({ packed, signal }) => through(createInflateRaw(), packed, signal),
    },
  ],
  [
    '040202',
    {
      name: 'bzip2',
      properties: 0,
      unpack: ({ packed, where, signal }) => bunzip2(packed, where, signal),
    },
  ],
]);

/** What others are called. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['03', 'Delta'],
  ['04', 'BCJ'],
  ['0a', 'ARM64'],
  ['03030103', 'BCJ'],
  ['0303011b', 'BCJ2'],
  ['030401', 'PPMd'],
  ['040109', 'Deflate64'],
  ['04f71101', 'Zstandard'],
]);

/** AES-256 with SHA-256, 7-Zip's only encryption. */
const ENCRYPTION = '06f10701';

/** Why a folder is not read: encryption, or a method or a row of filters that is not known here. `undefined` where it is. */
export function problemOf({
  coders,
  packedStreams,
}: Folder): { readonly kind: 'encrypted' | 'unsupported'; readonly what: string } | undefined {
  if (coders.some(({ method }) => method === ENCRYPTION))
    return { kind: 'encrypted', what: 'encrypted with a password' };
  const names = coders.map(
    ({ method }) => METHODS.get(method)?.name ?? OTHERS.get(method) ?? `method ${method}`,
  );
  const [coder] = coders;
  const known =
    coders.length === 1 &&
    packedStreams === 1 &&
    METHODS.get(coder!.method)?.properties === coder!.properties.length;
  return known ? undefined : { kind: 'unsupported', what: `packed with ${names.join(' and ')}` };
}

/**
 * What comes out of a folder without a {@link problemOf}. Errors: `data/unreadable` where its bytes lie outside of the archive, then
 * those of its method.
 */
export function unpackFolder(
  archive: ByteSource,
  { coders, start, packedSize, size }: Folder,
  where: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const { method, properties } = coders[0]!;
  const packed = rangeSource(archive, start, packedSize, where);
  return METHODS.get(method)!.unpack({ packed, properties, size, where, signal });
}
