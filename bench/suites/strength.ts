import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import type { BenchOptions } from '../options.ts';
import { BENCH, dataPath, modelPath, ourSide, peerSide, SHARED } from '../places.ts';
import { linesOf, type Side, type SideEvent } from '../side.ts';
import { STRENGTH_NETWORKS, type StrengthCase } from './strength-case.ts';
import { STRENGTH_CASES } from './strength-cases.ts';
import type { Figures, PeerFigures, StrengthEntry } from './strength-entry.ts';
import { strengthPage } from './strength-page.ts';

/** Where figures are kept, and the table that scripts/attacks.mjs puts into docs/attacks.md. */
const FOLDER = join(BENCH, 'results');
const FILE = join(FOLDER, 'strength.json');
const PAGE = join(FOLDER, 'strength.md');

/**
 * Runs each of our attacks and the peers' at equal steps or queries on the same samples, and writes bench/results/strength.json after each and the
 * table for docs/attacks.md at the end. What is known with the same settings is not run again; `--again` runs ours again, for a change of
 * ours, while a peer's figures belong to its pinned version. Nothing is timed, so the machine may be busy.
 * A peer's own errors are told to `fail`. Errors: `option/invalid`, `run/failed`; what was measured before is kept.
 */
export async function strengthSuite(
  options: BenchOptions,
  progress: (text: string) => void,
  fail: (text: string) => void,
): Promise<void> {
  const earlier = known();
  const theirs = new Map(earlier.flatMap((entry) => (entry.peer ? [[peerKeyOf(entry), entry.peer]] : [])));
  const own = new Map(earlier.flatMap((entry) => (entry.own ? [[keyOf(entry), entry.own]] : [])));
  const entryOf = (each: StrengthCase): StrengthEntry => ({
    ...each,
    ...(theirs.has(peerKeyOf(each)) && { peer: theirs.get(peerKeyOf(each))! }),
    ...(own.has(keyOf(each)) && { own: own.get(keyOf(each))! }),
  });
  const save = () => write(STRENGTH_CASES.map(entryOf).filter(({ peer }) => peer));
  const cases = chosen(options);
  const unmet = cases.filter((each) => !entryOf(each).peer);
  progress(`${cases.length} cases, ${unmet.length} of them new to the peers`);
  await inTurn(peers, 'peers.jsonl', unmet, peerTask, (each, lines) => {
    const failed = lines.find(({ error }) => error !== undefined);
    if (failed) return fail(`${titleOf(each)}: ${failed.error}`);
    const [first] = lines as [SideEvent];
    const attacked = new Set(first.index as number[]);
    const left = Array.from({ length: each.n }, (_, i) => i).filter((i) => !attacked.has(i));
    const peer = { ...meanOf(lines), version: String(first.version), left };
    theirs.set(peerKeyOf(each), peer);
    save();
    progress(`${titleOf(each)}: ${shown(peer)}, ${Math.round(sum(lines, 'cpu'))} s`);
  });
  const met = cases.filter((each) => entryOf(each).peer && (options.again || !entryOf(each).own));
  const ourTask = (each: StrengthCase, seed: number) => ourTaskOf(each, entryOf(each).peer!, seed);
  await inTurn(
    (file) => ourSide('Glacis', 'strength.ts', ['--cases', file]),
    'ours.jsonl',
    met,
    ourTask,
    (each, lines) => {
      const figures = meanOf(lines);
      own.set(keyOf(each), figures);
      save();
      progress(`${titleOf(each)}: ours ${shown(figures)}, theirs ${shown(entryOf(each).peer!)}`);
    },
  );
  writeFileSync(PAGE, strengthPage(STRENGTH_CASES.map(entryOf)));
}

function chosen({ only, network }: BenchOptions): readonly StrengthCase[] {
  const names = [...new Set(STRENGTH_CASES.map(({ name }) => name))];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new GlacisError('option/invalid', `--only: expected ${names.join(', ')}, got '${unknown}'`);
  if (network !== undefined && !STRENGTH_NETWORKS.some((name) => name === network))
    throw new GlacisError(
      'option/invalid',
      `--network: expected ${STRENGTH_NETWORKS.join(', ')}, got '${network}'`,
    );
  return STRENGTH_CASES.filter(
    (each) => (!only || only.includes(each.name)) && (network === undefined || network === each.network),
  );
}

/** Everything that a peer's figures depend on. */
function peerKeyOf(each: StrengthCase): string {
  const { network, norm, eps, n, library, theirs, options, seeds, startable } = each;
  return JSON.stringify([network, norm, eps, n, library, theirs, options, seeds, startable]);
}

/** Everything that our figures depend on: the samples and queries are the peer's. */
const keyOf = (each: StrengthCase): string => JSON.stringify([each.ours, peerKeyOf(each)]);

function titleOf({ network, norm, ours, library }: StrengthCase): string {
  return `${network} ${norm} ${ours}, ${library}`;
}

function known(): readonly StrengthEntry[] {
  try {
    return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly cases: readonly StrengthEntry[] }).cases;
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code === 'ENOENT') return [];
    throw thrown;
  }
}

function write(entries: readonly StrengthEntry[]): void {
  mkdirSync(FOLDER, { recursive: true });
  const cases = entries.map((entry) => JSON.stringify(entry)).join(',\n');
  writeFileSync(FILE, `{"schema":"glacis.strength/1","cases":[\n${cases}\n]}\n`);
  writeFileSync(PAGE, strengthPage(entries));
}

/** Gives a side's program all cases, one line a case and seed, and hands over each case's lines when they are there. */
async function inTurn(
  side: (file: string) => Side,
  name: string,
  cases: readonly StrengthCase[],
  task: (each: StrengthCase, seed: number) => object,
  hear: (each: StrengthCase, lines: readonly SideEvent[]) => void,
): Promise<void> {
  if (cases.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'glacis-strength-'));
  try {
    const file = join(folder, name);
    const seedsOf = ({ seeds }: StrengthCase) => Array.from({ length: seeds }, (_, seed) => seed);
    const tasks = cases.flatMap((each) => seedsOf(each).map((seed) => JSON.stringify(task(each, seed))));
    writeFileSync(file, `${tasks.join('\n')}\n`);
    const waiting = [...cases];
    let lines: SideEvent[] = [];
    for await (const line of linesOf(side(file))) {
      lines.push(line);
      if (lines.length < waiting[0]!.seeds) continue;
      hear(waiting.shift()!, lines);
      lines = [];
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const peers = (file: string): Side =>
  peerSide('peers', 'strength.py', ['--data', join(SHARED, 'data'), '--cases', file]);

function peerTask(each: StrengthCase, seed: number): object {
  const { library, theirs: attack, network, n, norm, eps, startable, options } = each;
  return { library, attack, network, n, norm, eps, seed, startable, options };
}

function ourTaskOf({ network, n, norm, eps, ours }: StrengthCase, peer: PeerFigures, seed: number): object {
  const attack = ours.replace('ASKED', String(Math.floor(peer.queries)));
  const index = Array.from({ length: n }, (_, i) => i).filter((i) => !peer.left.includes(i));
  return { model: modelPath(network), data: dataPath(network), attack, norm, eps, index, seed };
}

/** The means over the seeds; a median that is infinite once is so in all. */
function meanOf(lines: readonly SideEvent[]): Figures {
  const mean = (name: string) => sum(lines, name) / lines.length;
  return {
    attacked: Number(lines[0]!.attacked),
    success: mean('success'),
    median: lines.some((line) => line.median === null) ? null : mean('median'),
    queries: mean('queries'),
    ...(lines.length > 1 && {
      runs: lines.map((line) => ({ success: Number(line.success), median: line.median as number | null })),
    }),
  };
}

const sum = (lines: readonly SideEvent[], name: string): number =>
  lines.reduce((total, line) => total + Number(line[name]), 0);

const shown = ({ success, median: middle, queries }: Figures): string =>
  `success ${success.toFixed(3)}, median ${middle?.toFixed(4) ?? '∞'}, ${Math.round(queries)} queries`;
