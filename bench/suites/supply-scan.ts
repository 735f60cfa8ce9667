import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { glacisVersion } from '../../src/assess/environment.ts';
import { GlacisError } from '../../src/core/error.ts';
import { op, pickle, text } from '../../src/supply/scan/pickle/pickle.fixture.ts';
import { dict, tensor, torchZip } from '../../src/supply/scan/torch/torch.fixture.ts';
import { compareSides } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, commandLineSide } from '../places.ts';
import type { Row } from '../report.ts';
import type { Side } from '../side.ts';

const PYTHON = join(BENCH, 'interop/scan/venv/bin/python');
const MIB = 1 << 20;

/**
 * Scans a folder of 200 clean files (checkpoints, arrays, safetensors, pickled vocabularies, configurations; 2 GiB) against picklescan and modelscan one
 * after the other, programs' starts included, with all files in the page cache.
 */
export async function scanRow(
  cache: string,
  { rounds, quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<Row> {
  if (!existsSync(PYTHON))
    throw new GlacisError('run/failed', `${PYTHON}: expected Python; run bench/interop/scan/setup.sh first`);
  const name = `scan 200 files of ${quick ? '128 MiB' : '2 GiB'}`;
  progress(name);
  const folder = makeFolder(join(cache, quick ? 'mixed-small' : 'mixed'), quick ? 16 : 1);
  const versions = { glacis: glacisVersion(), node: process.versions.node };
  const ours = commandLineSide('Glacis', ['scan', folder], () => [{ event: 'environment', versions }]);
  const peer: Side = {
    name: 'picklescan, then modelscan',
    command: PYTHON,
    args: [join(BENCH, 'interop/scan/timed.py'), folder],
  };
  const compared = await compareSides(ours, [peer], { rounds, threads: 1, timed: 'program', progress });
  const first = [];
  for (let i = 0; i < 5; i++) first.push(await firstResult(ours));
  const median = first.toSorted((a, b) => a - b)[2]!;
  const agreement = [
    ...compared.comparisons.map(({ peer }) => unreadText(peer.environment)),
    `every file clean for all; the first result ${median.toFixed(0)} ms after the program's start`,
  ];
  const comparisons = compared.comparisons.map((comparison) => ({ ...comparison, wanted: 10 }));
  return { name, timed: 'program', agreement, ...compared, comparisons };
}

/** How many files of the folder each of the others looked into; an unread file is no failure to them, with any option. */
function unreadText(environment: Readonly<Record<string, unknown>>): string {
  const { files, read } = environment as { files: number; read: Readonly<Record<string, number>> };
  const words = Object.entries(read).map(([name, count]) => `${name} ${count}`);
  return `of ${files} files all were read by Glacis, by the others, run strictly: ${words.join(', ')}`;
}

/** Milliseconds from the start of the program to the first line that it prints. */
function firstResult({ command, args }: Side): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.once('error', reject);
    child.stdout.once('data', () => resolve(performance.now() - start));
    child.once('close', () => reject(new GlacisError('run/failed', 'glacis scan printed nothing')));
    child.stdout.once('data', () => child.kill());
  });
}

/** A dictionary of words and numbers, as a text vectoriser keeps one: items a thousand at a time, as picklers write them. */
function vocabulary(words: number, seed: number): Uint8Array {
  const parts: Uint8Array[] = [op('EMPTY_DICT')];
  for (let from = 0; from < words; from += 1000) {
    parts.push(op('MARK'));
    for (let i = from; i < Math.min(words, from + 1000); i++)
      parts.push(text(`word-${seed}-${i}`), op('MEMOIZE'), op('BININT', i));
    parts.push(op('SETITEMS'));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function makeFolder(folder: string, divide: number): string {
  if (existsSync(join(folder, 'done'))) return folder;
  mkdirSync(folder, { recursive: true });
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
  const random = (bytes: number) => new Uint8Array(cipher.update(Buffer.alloc(bytes)));
  const lay = (count: number, ending: string, make: (i: number) => Uint8Array | string) => {
    for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.${ending}`), make(i));
  };
  lay(80, 'pt', () => {
    const elements = (16 * MIB) / divide / 4;
    const weight = tensor({ key: '0', elements, shape: [elements], strides: [1] });
    return torchZip(dict([['weight', weight]]), { 0: random(elements * 4) });
  });
  lay(40, 'npy', () => {
    const bytes = (8 * MIB) / divide;
    const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${bytes / 4},), }`.padEnd(117);
    return Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
      Buffer.from(`${head}\n`),
      random(bytes),
    ]);
  });
  lay(40, 'safetensors', () => {
    const bytes = (11 * MIB) / divide;
    const entry = { dtype: 'F32', shape: [bytes / 4], data_offsets: [0, bytes] };
    const head = Buffer.from(JSON.stringify({ weight: entry }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(head.length));
    return Buffer.concat([length, head, random(bytes)]);
  });
  lay(20, 'pkl', (i) => pickle(vocabulary(50_000 / divide, i)));
  lay(19, 'json', (i) => JSON.stringify({ model_type: 'bert', hidden_size: 64 * (i + 1) }));
  writeFileSync(join(folder, 'done'), 'words\n');
  return folder;
}
