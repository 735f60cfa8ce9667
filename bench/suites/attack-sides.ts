import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, commandLineSide, dataPath, modelPath, ourSide, peerSide, SHARED } from '../places.ts';
import type { Side, SideEvent } from '../side.ts';
import type { AttackCase, AttackPeer } from './attack-cases.ts';

const NAMES = { torchattacks: 'torchattacks', foolbox: 'Foolbox', art: 'ART' } as const;

/** In what form the peers run a network best, and how many threads that keeps busy. */
export interface Form {
  readonly layout: 'nchw' | 'channels-last';
  readonly batch: number;
  readonly threadsUsed: number;
}

/** Attacks that seek the nearest example are given a radius too, which limits nothing. */
const NO_LIMIT = 1;

export function oursOf(
  { network, ours, norm, eps = NO_LIMIT, n, warmup = n, repeat = 1 }: AttackCase,
  threads: number,
): Side {
  const size = { norm, eps, n, warmup: Math.min(n, warmup), repeat, threads };
  const options = optionList({ model: modelPath(network), data: dataPath(network), attack: ours, ...size });
  return ourSide('Glacis', 'attack.ts', options);
}

export function commandLineOf({ network, ours, norm, eps = NO_LIMIT, n }: AttackCase, threads: number): Side {
  const folder = join(CACHE, 'outputs', 'attack');
  mkdirSync(folder, { recursive: true });
  const json = join(folder, 'summary.json');
  const options = optionList({
    data: dataPath(network),
    norm,
    eps,
    n,
    threads,
    out: join(folder, 'examples.npz'),
    json,
  });
  return commandLineSide('glacis attack', ['attack', ours, modelPath(network), ...options, '--quiet'], () =>
    answerIn(json),
  );
}

/** What the peers' programs print, read from the summary that `glacis attack` writes. */
function answerIn(path: string): readonly SideEvent[] {
  const { cleanAccuracy, robustAccuracy } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly cleanAccuracy: number;
    readonly robustAccuracy: number;
  };
  return [
    { event: 'environment', versions: { node: process.versions.node } },
    { event: 'accuracy', clean: cleanAccuracy, robust: robustAccuracy },
  ];
}

export function peerOf(each: AttackCase, peer: AttackPeer, form: Form, threads: number): Side {
  const { network, theirs: attack, norm, eps, n, warmup = n, repeat = 1, program = false } = each;
  const { library, batch = form.batch, layout = form.layout, way } = peer;
  const settings = JSON.stringify({ norm, ...(eps !== undefined && { eps }), ...each.settings });
  const cold = program ? 0 : Math.min(n, warmup);
  const size = { n, layout, batch, threads, warmup: cold, repeat };
  const options = optionList({ library, attack, network, data: join(SHARED, 'data'), settings, ...size });
  return peerSide(way ? `${NAMES[library]}, ${way}` : NAMES[library], 'attacks.py', options);
}

/** A program's options as it is called with them. */
export const optionList = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
