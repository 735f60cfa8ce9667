import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GlacisError } from '../src/core/error.ts';
import type { Side } from './side.ts';

/** The folder of the benchmarks. */
export const BENCH = import.meta.dirname;

/** What is made once and kept out of the repository: networks, weights, inputs. */
export const CACHE = join(BENCH, '.cache');

/** Real models and data, given by GLACIS_SHARED; beside the repository when that is not set. */
export const SHARED = process.env.GLACIS_SHARED ?? join(BENCH, '..', '..', 'shared');

const PEER_PYTHON = join(
  BENCH,
  'peers',
  'venv',
  process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python',
);
const DEBIAN_PYTHON = '/usr/bin/python3';

/** A network's ONNX file. Errors: `model/unreadable` when it is not there. */
export function modelPath(network: string): string {
  const path =
    network === 'resnet18' ? join(CACHE, 'resnet18.onnx') : join(SHARED, 'models', `${network}.onnx`);
  if (!existsSync(path) || !existsSync(join(CACHE, `${network}.npz`))) {
    throw new GlacisError(
      'model/unreadable',
      `${path} and ${CACHE}/${network}.npz: expected both; run bench/peers/setup.sh first`,
    );
  }
  return path;
}

/** The test samples that a network is tried on, as the command line takes them. */
export const dataPath = (network: string): string =>
  network.startsWith('cifar10')
    ? join(SHARED, 'data', 'cifar10', 'test.npz')
    : ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz']
        .map((file) => join(SHARED, 'data', 'mnist', file))
        .join();

/** A side that runs one of the peers' programs. Errors: `run/failed` when its Python is not there. */
export function peerSide(
  name: string,
  script: string,
  args: readonly string[],
  python: 'pinned' | 'debian' = 'pinned',
): Side {
  const command = python === 'pinned' ? PEER_PYTHON : DEBIAN_PYTHON;
  if (!existsSync(command))
    throw new GlacisError('run/failed', `${command}: expected Python; run bench/peers/setup.sh first`);
  return { name, command, args: [join(BENCH, 'peers', script), ...args] };
}

/**
 * A side that runs the command line as a user does; `bench/ours/account.mjs` adds what the process cost. `left` reads what it
 * leaves in files.
 */
export function commandLineSide(name: string, args: readonly string[], left: Side['left']): Side {
  const account = pathToFileURL(join(BENCH, 'ours', 'account.mjs')).href;
  const program = join(BENCH, '..', 'bin', 'glacis.mjs');
  return {
    name,
    command: process.execPath,
    args: ['--import', account, program, ...args],
    ...(left && { left }),
  };
}

/** A side that runs one of our own programs under this Node.js. */
export function ourSide(name: string, script: string, args: readonly string[]): Side {
  return { name, command: process.execPath, args: [join(BENCH, 'ours', script), ...args] };
}
