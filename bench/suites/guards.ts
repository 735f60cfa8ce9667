import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import type { BenchOptions } from '../options.ts';
import { GUARD_NETWORKS, type GuardNetwork } from '../ours/guards/split.ts';
import { BENCH, ourSide, peerSide } from '../places.ts';
import { linesOf, type SideEvent } from '../side.ts';
import { exactGuards } from './exact-guards.ts';
import { exactPage } from './exact-page.ts';
import { GUARD_CASES } from './guard-cases.ts';
import { guardPage } from './guard-page.ts';

const FOLDER = join(BENCH, 'results');
const FILE = join(FOLDER, 'guards.json');

/**
 * What each guard finds, on the part of the test samples that was frozen for it, of our attacks, torchattacks' and those of an attacker who knows the guard; and what it raises false
 * alarms for and costs. Writes bench/results/guards.json after each network, and the tables. Nothing but the cost of a judgement is timed, and of that the quickest of several
 * rounds counts. `--mode development` shows the figures of the development part and keeps none; `--mode cost` measures false alarms and costs alone, `--mode exact` the guards
 * without thresholds alone (with `--quick` on the development part, and keeps none). Errors: `option/invalid`, `run/failed`.
 */
export async function guardsSuite(options: BenchOptions, progress: (text: string) => void): Promise<void> {
  const { network, mode } = options;
  if (network !== undefined && !GUARD_NETWORKS.some((name) => name === network))
    throw new GlacisError(
      'option/invalid',
      `--network: expected ${GUARD_NETWORKS.join(', ')}, got '${network}'`,
    );
  if (mode !== undefined && mode !== 'development' && mode !== 'cost' && mode !== 'exact')
    throw new GlacisError('option/invalid', `--mode: expected development, cost or exact, got '${mode}'`);
  if (mode === 'exact' || (mode === undefined && network === undefined)) {
    progress('input, constraints, feeds');
    const exact = await exactGuards(options, progress);
    if (options.quick) process.stdout.write(exactPage(exact));
    else write({ ...known(), exact });
    if (mode === 'exact') return;
  }
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
  return [...lines, ...(known().networks[network] ?? []).filter(({ event }) => event !== 'guard')];
}

/** Puts a network's lines in the place of its earlier ones. */
function keep(network: GuardNetwork, lines: readonly SideEvent[]): void {
  const { networks, exact } = known();
  write({ networks: { ...networks, [network]: lines }, exact });
}

/** All that was measured last. */
interface Known {
  readonly networks: Readonly<Record<string, readonly SideEvent[]>>;
  /** Of the guards without thresholds. */
  readonly exact: readonly SideEvent[];
}

function write({ networks, exact }: Known): void {
  mkdirSync(FOLDER, { recursive: true });
  const listed = (lines: readonly SideEvent[]) =>
    `[\n${lines.map((line) => JSON.stringify(line)).join(',\n')}\n]`;
  const each = Object.entries(networks).map(([name, lines]) => `${JSON.stringify(name)}:${listed(lines)}`);
  writeFileSync(
    FILE,
    `{"schema":"glacis.guards/1","networks":{\n${each.join(',\n')}\n},"exact":${listed(exact)}}\n`,
  );
  const pages = [guardPage(networks), exactPage(exact)].filter((page) => page !== '');
  writeFileSync(join(FOLDER, 'guards.md'), pages.join('\n'));
}

function known(): Known {
  try {
    const { networks, exact = [] } = JSON.parse(readFileSync(FILE, 'utf8')) as Partial<Known>;
    return { networks: networks ?? {}, exact };
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code === 'ENOENT') return { networks: {}, exact: [] };
    throw thrown;
  }
}
