import { createInflateRaw } from 'node:zlib';
import { type ByteSource, chunksOf, rangeSource } from '../../../../data/byte-source.ts';
import { bunzip2 } from '../bzip2.ts';
import { lzma2Dictionary, unlzma, unlzma2 } from '../lzma/streams.ts';
import { through } from '../unpack.ts';
import { arm, arm64, armThumb } from './filter/arm.ts';
import { bcj2 } from './filter/bcj2.ts';
import { type Convert, converted } from './filter/converted.ts';
import { delta } from './filter/delta.ts';
import { x86 } from './filter/x86.ts';
import type { Folder } from './read-header.ts';
import type { Step } from './read-plan.ts';

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

/** Methods that unpack a stream of the archive, by their ids. */
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

interface Filter {
  readonly name: string;
  readonly properties: number;
  readonly begin: (properties: Uint8Array) => Convert;
}

const X86: Filter = { name: 'BCJ', properties: 0, begin: x86 };
const ARM: Filter = { name: 'ARM', properties: 0, begin: () => arm };
const THUMB: Filter = { name: 'ARMT', properties: 0, begin: () => armThumb };

/** Filters of one stream, by their ids: 7-Zip's own, and the short ones of xz. */
const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['03', { name: 'Delta', properties: 1, begin: ([distance]) => delta(distance! + 1) }],
  ['04', X86],
  ['03030103', X86],
  ['07', ARM],
  ['03030501', ARM],
  ['08', THUMB],
  ['03030701', THUMB],
  ['0a', { name: 'ARM64', properties: 0, begin: () => arm64 }],
]);

/** The one filter of several streams, and how many. */
const BCJ2 = '0303011b';
const BCJ2_STREAMS = 4;

/** What others are called. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  [BCJ2, 'BCJ2'],
  ['05', 'PPC'],
  ['03030205', 'PPC'],
  ['06', 'IA64'],
  ['03030401', 'IA64'],
  ['09', 'SPARC'],
  ['03030805', 'SPARC'],
  ['0b', 'RISCV'],
  ['030401', 'PPMd'],
  ['040109', 'Deflate64'],
  ['04f71101', 'Zstandard'],
]);

/** AES-256 with SHA-256, 7-Zip's only encryption. */
const ENCRYPTION = '06f10701';

/** Why a folder is not read: encryption, or a method or a row of filters that is not known here. `undefined` where it is. */
export function problemOf({
  plan: { main, methods },
}: Pick<Folder, 'plan'>): { readonly kind: 'encrypted' | 'unsupported'; readonly what: string } | undefined {
  if (methods.includes(ENCRYPTION)) return { kind: 'encrypted', what: 'encrypted with a password' };
  if (isKnown(main)) return undefined;
  const names = methods.map(
    (id) => METHODS.get(id)?.name ?? FILTERS.get(id)?.name ?? OTHERS.get(id) ?? `method ${id}`,
  );
  return { kind: 'unsupported', what: `packed with ${names.join(' and ')}` };
}

function isKnown({ method, properties, inputs }: Step): boolean {
  const [input] = inputs;
  const known = METHODS.get(method);
  // What comes out of another step has no place to be read from, and no writer packs twice.
  if (known)
    return known.properties === properties.length && inputs.length === 1 && typeof input === 'number';
  const [takes, holds] = method === BCJ2 ? [BCJ2_STREAMS, 0] : [1, FILTERS.get(method)?.properties];
  return (
    holds === properties.length &&
    inputs.length === takes &&
    inputs.every((each) => typeof each === 'number' || isKnown(each))
  );
}

/**
 * What comes out of a folder without a {@link problemOf}. Errors: `data/unreadable` where its bytes lie outside of the archive, then
 * those of its methods.
 */
export function unpackFolder(
  archive: ByteSource,
  { plan, packed }: Pick<Folder, 'plan' | 'packed'>,
  where: string,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const streams = packed.map(({ start, size }) => rangeSource(archive, start, size, where));
  const from = ({ method, properties, inputs, size }: Step): AsyncIterable<Uint8Array> => {
    const [input] = inputs;
    const known = METHODS.get(method);
    if (known) return known.unpack({ packed: streams[input as number]!, properties, size, where, signal });
    const pieces = inputs.map((each) =>
      typeof each === 'number' ? chunksOf(streams[each]!, signal) : from(each),
    );
    return method === BCJ2
      ? bcj2(pieces, size, where)
      : converted(pieces[0]!, FILTERS.get(method)!.begin(properties));
  };
  return from(plan.main);
}
