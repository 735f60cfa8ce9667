import { spawnSync } from 'node:child_process';
import { createCipheriv, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { glacisVersion } from '../../src/assess/environment.ts';
import { GlacisError } from '../../src/core/error.ts';
import { compareSides } from '../harness.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, CACHE, commandLineSide, ourSide } from '../places.ts';
import type { Row } from '../report.ts';
import type { Side } from '../side.ts';
import { scanRow } from './supply-scan.ts';

const FOLDER = join(CACHE, 'supply');
const PYTHON = join(BENCH, 'interop/signing/venv/bin/python');

/** A model to sign: so many files of so many bytes each. */
interface Case {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** The ratio to the peer that is aimed at. */
  readonly wanted: number;
}

/**
 * Times signing and verifying with a key, from the program's start to its end, against the Python package `model-signing`, with all files in
 * the page cache. Each row says what share of `openssl speed -multi` on the same machine ours reached. Then a scan against two other
 * scanners, and the gate's decisions a second.
 */
export async function supplySuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  if (options.network !== undefined || options.mode !== undefined || options.debian || options.compile)
    throw new GlacisError(
      'option/invalid',
      '--network, --mode, --debian, --compile: not of the supply suite',
    );
  if (!existsSync(PYTHON))
    throw new GlacisError(
      'run/failed',
      `${PYTHON}: expected Python; run bench/interop/signing/setup.sh first`,
    );
  const small = options.quick ? 16 : 1;
  const cases: readonly Case[] = [
    { name: '4 GiB in 8 files', files: 8, bytes: 2 ** 29 / small, wanted: 1.3 },
    { name: '100 MB in one file', files: 1, bytes: 1e8, wanted: 3 },
  ];
  makeKeys();
  const rows: Row[] = [];
  for (const one of cases) {
    const model = makeModel(one, progress);
    for (const what of ['sign', 'verify'] as const)
      rows.push(await compare(what, one, model, options, progress));
  }
  rows.push(await scanRow(FOLDER, options, progress));
  rows.push(await gateRow(options, progress));
  return rows;
}

/** Decisions of the gate on evidence that was read before; the aim is 1,000 a second. */
async function gateRow({ rounds }: BenchOptions, progress: (text: string) => void): Promise<Row> {
  const name = 'decisions of the gate: six requirements, six signed statements';
  progress(name);
  const side = ourSide('Glacis', 'gate.ts', []);
  const compared = await compareSides(side, [], {
    rounds: Math.min(2, rounds),
    threads: 1,
    timed: 'program',
    progress,
  });
  const rates = compared.ours.environment.rates as readonly {
    readonly name: string;
    readonly perSecond: number;
  }[];
  const agreement = rates.map((rate) => `${rate.name}: ${rate.perSecond} a second`);
  return { name, timed: 'program', agreement, ...compared };
}

async function compare(
  what: 'sign' | 'verify',
  { name, files, bytes, wanted }: Case,
  model: string,
  { rounds, threads, quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<Row> {
  const title = `${what} ${name}${quick ? ' (a part of it)' : ''}`;
  progress(title);
  const key =
    what === 'sign' ? ['private-key', join(FOLDER, 'key.pem')] : ['public-key', join(FOLDER, 'key.pub')];
  const signature = join(FOLDER, `${files}.sig`);
  const versions = { glacis: glacisVersion(), node: process.versions.node };
  const ours = commandLineSide(
    'Glacis',
    [what, 'key', model, `--${key[0]}`, key[1]!, '--signature', signature, '--threads', `${threads}`],
    () => [{ event: 'environment', versions }],
  );
  const peer: Side = {
    name: 'model-signing',
    command: PYTHON,
    args: [
      join(BENCH, 'interop/signing/timed.py'),
      ...[what, 'key', model, `--${key[0]!.replace('-', '_')}`, key[1]!, '--signature', signature],
    ],
  };
  const ceiling = opensslSpeed(threads);
  const compared = await compareSides(ours, [peer], { rounds, threads, timed: 'program', progress });
  const total = files * bytes;
  const speed = total / compared.ours.wall;
  const agreement = [
    `${(speed / 1e9).toFixed(2)} GB/s from start to end, ${((100 * speed) / ceiling).toFixed(0)} % of openssl speed -multi ${threads} sha256 (${(ceiling / 1e9).toFixed(2)} GB/s)`,
  ];
  const comparisons = compared.comparisons.map((comparison) => ({ ...comparison, wanted }));
  return { name: title, timed: 'program', agreement, ...compared, comparisons };
}

/** Bytes a second that OpenSSL hashes with so many processes. */
function opensslSpeed(processes: number): number {
  const args = ['speed', '-seconds', '2', '-multi', `${processes}`, '-bytes', '262144', 'sha256'];
  const { stdout, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  const thousands = Number(/^sha256\s+([\d.]+)k/m.exec(stdout ?? '')?.[1]);
  if (!Number.isFinite(thousands))
    throw new GlacisError('run/failed', `openssl speed: expected a figure, got ${error ?? stdout}`);
  return thousands * 1000;
}

function makeKeys(): void {
  mkdirSync(FOLDER, { recursive: true });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(FOLDER, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(join(FOLDER, 'key.pub'), createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
}

/** Writes files of pseudo-random bytes where they are not there yet, and reads them into the cache. */
function makeModel({ files, bytes }: Case, progress: (text: string) => void): string {
  const folder = join(FOLDER, `${files}x${bytes}`);
  mkdirSync(folder, { recursive: true });
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, files), Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 22);
  for (let i = 0; i < files; i++) {
    const path = join(folder, `${i}.bin`);
    if (existsSync(path) && statSync(path).size === bytes) continue;
    progress(`writing ${path}`);
    const file = openSync(path, 'w');
    for (let left = bytes; left > 0; left -= zeros.length)
      writeSync(file, cipher.update(zeros.subarray(0, Math.min(left, zeros.length))));
    closeSync(file);
  }
  return files === 1 ? join(folder, '0.bin') : folder;
}
