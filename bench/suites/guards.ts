import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import type { BenchOptions } from '../options.ts';
import { GUARD_NETWORKS, type GuardNetwork } from '../ours/guards/split.ts';
import { BENCH, ourSide, peerSide } from '../places.ts';
import { linesOf, type SideEvent } from '../side.ts';
import { GUARD_CASES } from './guard-cases.ts';
import { guardPage } from './guard-page.ts';

const FOLDER = join(BENCH, 'results');
const FILE = join(FOLDER, 'guards.json');

/**
 * What each guard finds, on the part of the test samples that was frozen for it, of our attacks, torchattacks' and those of an attacker who knows the guard; and what it raises false
 * alarms for and costs. Writes bench/results/guards.json after each network, and the tables. Nothing but the cost of a judgement is timed, and of that the quickest of several
 * rounds counts. `--mode development` shows the figures of the development part and keeps none; `--mode cost` measures false alarms and costs alone. Errors: `option/invalid`, `run/failed`.
 */
export async function guardsSuite(options: BenchOptions, progress: (text: string) => void): Promise<void> {
  const { network, mode } = options;
  if (network !== undefined && !GUARD_NETWORKS.some((name) => name === network))
    throw new GlacisError(
      'option/invalid',
      `--network: expected ${GUARD_NETWORKS.join(', ')}, got '${network}'`,
    );
  if (mode !== undefined && mode !== 'development' && mode !== 'cost')
    throw new GlacisError('option/invalid', `--mode: expected development or cost, got '${mode}'`);
  const part = mode === 'development' ? mode : 'final';
  for (const each of GUARD_NETWORKS.filter((name) => network === undefined || name === network)) {
    progress(`${each}, ${part}`);
    const lines =
      mode === 'cost'
        ? await measureCost(each, options, progress)
        : await measure(each, part, options, progress);
    if (part === 'final') keep(each, lines);
    else process.stdout.write(guardPage({ [each]: lines }));
  }
}

async function measure(
  network: GuardNetwork,
  part: string,
  { threads, quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly SideEvent[]> {
  const { ours, peers, peersN } = GUARD_CASES[network];
  const few = (n: number) => String(quick ? Math.min(n, 20) : n);
  const folder = mkdtempSync(join(tmpdir(), 'glacis-guards-'));
  const lines: SideEvent[] = [];
  const run = async (side: ReturnType<typeof ourSide>) => {
    for await (const line of linesOf(side)) {
      lines.push(line);
      progress(JSON.stringify(line).slice(0, 200));
    }
  };
  try {
    const place = ['--network', network, '--part', part, '--threads', String(threads)];
    await run(ourSide('Glacis', 'guards.ts', [...place, '--export', folder, '--n', few(peersN)]));
    const asked = ['--network', network, '--folder', folder, '--cases', JSON.stringify(peers)];
    await run(peerSide('torchattacks', 'guards.py', [...asked, '--threads', String(threads)]));
    const cases = JSON.stringify(ours.map((each) => ({ ...each, n: Number(few(each.n)) })));
    await run(ourSide('Glacis', 'guards.ts', [...place, '--cases', cases, '--peers', folder]));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return lines;
}

/** False alarms and costs once more; what was found stays. */
async function measureCost(
  network: GuardNetwork,
  { threads }: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly SideEvent[]> {
  const lines: SideEvent[] = [];
  const args = ['--network', network, '--part', 'final', '--threads', String(threads), '--cost'];
  for await (const line of linesOf(ourSide('Glacis', 'guards.ts', args))) {
    lines.push(line);
    progress(JSON.stringify(line).slice(0, 200));
  }
  return [...lines, ...(known()[network] ?? []).filter(({ event }) => event !== 'guard')];
}

/** Puts a network's lines in the place of its earlier ones. */
function keep(network: GuardNetwork, lines: readonly SideEvent[]): void {
  mkdirSync(FOLDER, { recursive: true });
  const all = { ...known(), [network]: lines };
  const networks = Object.entries(all).map(
    ([name, each]) => `${JSON.stringify(name)}:[\n${each.map((line) => JSON.stringify(line)).join(',\n')}\n]`,
  );
  writeFileSync(FILE, `{"schema":"glacis.guards/1","networks":{\n${networks.join(',\n')}\n}}\n`);
  writeFileSync(join(FOLDER, 'guards.md'), guardPage(all));
}

function known(): Readonly<Record<string, readonly SideEvent[]>> {
  try {
    return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly networks: Record<string, SideEvent[]> })
      .networks;
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code === 'ENOENT') return {};
    throw thrown;
  }
}
