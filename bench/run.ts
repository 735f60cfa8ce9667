import { join } from 'node:path';
import { GlacisError } from '../src/core/error.ts';
import { MAX_FOREIGN_CORES } from './harness.ts';
import { type Load, sampleLoad } from './load.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { BENCH } from './places.ts';
import { toMarkdown, writeReport } from './report.ts';
import { attacksSuite } from './suites/attacks.ts';
import { consoleSuite } from './suites/console.ts';
import { driftSuite } from './suites/drift.ts';
import { driftPeersSuite } from './suites/drift-peers.ts';
import { gatewaySuite } from './suites/gateway.ts';
import { writeGatewayReport } from './suites/gateway-page.ts';
import { gradientSuite } from './suites/gradient.ts';
import { guardsSuite } from './suites/guards.ts';
import { ledgerSuite } from './suites/ledger.ts';
import { memorySuite } from './suites/memory.ts';
import { monitorsSuite } from './suites/monitors.ts';
import { pgdSuite } from './suites/pgd.ts';
import { servingSuite } from './suites/serving.ts';
import { writeServingReport } from './suites/serving-page.ts';
import { startupSuite } from './suites/startup.ts';
import { statefulGuardsSuite } from './suites/stateful-guards.ts';
import { stealSuite } from './suites/steal.ts';
import { strengthSuite } from './suites/strength.ts';
import { supplySuite } from './suites/supply.ts';
import { trainingSuite } from './suites/training.ts';

const SUITE_PROGRAMS = {
  gradient: gradientSuite,
  pgd: pgdSuite,
  attacks: attacksSuite,
  startup: startupSuite,
  ledger: ledgerSuite,
  memory: memorySuite,
  training: trainingSuite,
  supply: supplySuite,
} as const;

/** Runs a suite and writes its report. Refuses a busy machine unless forced: `run/failed`. */
async function main(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv);
  const { suite } = options;
  const date = new Date().toISOString();
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  const failed: string[] = [];
  const fail = (text: string) => {
    failed.push(text);
    progress(text);
  };
  if (suite === 'strength') {
    await strengthSuite(options, progress, fail);
    if (failed.length > 0) process.exitCode = 3;
    return;
  }
  if (suite === 'stateful-guards') return statefulGuardsSuite(progress);
  if (suite === 'drift') return driftSuite(progress);
  if (suite === 'drift-peers') return driftPeersSuite(progress);
  if (suite === 'steal') return stealSuite(options, progress);
  if (suite === 'monitors') return monitorsSuite(progress);
  if (suite === 'guards') {
    await guardsSuite(options, progress);
    return;
  }
  const load = await quietLoad(options);
  progress(
    `${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
  );
  if (suite === 'console') {
    const command = `npm run bench -- ${argv.join(' ')}`;
    const { page, path } = await consoleSuite(options, { command, date, load }, progress);
    process.stdout.write(`${page}\nwritten: ${path}.md, ${path}.json\n`);
    return;
  }
  if (suite === 'gateway' || suite === 'serving') {
    const command = `npm run bench -- ${argv.join(' ')}`;
    const about = { command, date, machine: describeMachine(), load, rounds: options.rounds };
    const results = join(BENCH, 'results');
    const { path, page } =
      suite === 'gateway'
        ? writeGatewayReport(results, { ...about, rows: await gatewaySuite(options, progress) })
        : writeServingReport(results, { ...about, ...(await servingSuite(options, progress)) });
    process.stdout.write(`${page}\nwritten: ${path}.md, ${path}.json\n`);
    return;
  }
  const rows = await SUITE_PROGRAMS[suite](options, progress, fail);
  const report = {
    schema: 'glacis.benchmark/1',
    suite,
    command: `npm run bench -- ${argv.join(' ')}`,
    date,
    machine: describeMachine(),
    load,
    threads: options.threads,
    rounds: options.rounds,
    rows,
    ...(failed.length > 0 && { failed }),
  } as const;
  const path = writeReport(join(BENCH, 'results'), report);
  process.stdout.write(`${toMarkdown(report)}\nwritten: ${path}.md, ${path}.json\n`);
  if (failed.length > 0) process.exitCode = 3;
}

async function quietLoad({ force }: BenchOptions): Promise<Load> {
  const load = await sampleLoad();
  if (force || load.busyCores <= MAX_FOREIGN_CORES) return load;
  const wanted = `at most ${MAX_FOREIGN_CORES} cores busy before measuring`;
  throw new GlacisError(
    'run/failed',
    `machine: expected ${wanted}, got ${load.busyCores.toFixed(2)}; stop what runs, or use --force`,
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${error instanceof GlacisError ? `${error.message} (${error.code})` : error instanceof Error ? error.stack : error}\n`,
  );
  process.exitCode = error instanceof GlacisError && error.code.startsWith('option/') ? 2 : 3;
}
