import { readFileSync } from 'node:fs';
import { type ErrorCode, GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import { visible } from '../report/markup.ts';
import { type OptionTable, readArgs } from './args.ts';
import { type Command, EXIT } from './command.ts';
import { helpFor, overview } from './help.ts';
import { interruptible } from './interrupt.ts';
import { type LogLevel, takeLogLevel } from './log-level.ts';
import { openTerminal } from './terminal.ts';

/** Every command, by name; each is loaded when it is called, so that the program starts fast. */
const COMMANDS: Readonly<
  Record<string, { readonly about: string; load(): Promise<{ readonly command: Command }> }>
> = {
  demo: {
    about: 'see the main job at work on the bundled example',
    load: () => import('./demo.ts'),
  },
  assess: {
    about: 'attack a model, verify the results, write a report',
    load: () => import('./assess.ts'),
  },
  attack: {
    about: 'run one attack and save its examples',
    load: () => import('./attack.ts'),
  },
  'attack timing': {
    about: 'measure what the time and length of an endpoint’s answers tell',
    load: () => import('./attack-timing.ts'),
  },
  compare: {
    about: 'hold assessments of several models against each other',
    load: () => import('./compare.ts'),
  },
  transfer: {
    about: 'try examples made on one model on others',
    load: () => import('./transfer.ts'),
  },
  defend: {
    about: 'put defences at the input into the model, and see what they are worth',
    load: () => import('./defend.ts'),
  },
  calibrate: {
    about: 'set the thresholds of guards to a stated rate of false alarms',
    load: () => import('./calibrate.ts'),
  },
  'calibrate verify': {
    about: 'set when a second model’s answer counts as another one',
    load: () => import('./calibrate-verify.ts'),
  },
  privacy: {
    about: 'count the privacy budget of differentially private training',
    load: () => import('./privacy.ts'),
  },
  train: {
    about: 'train a model from data, with attacks in training where wanted',
    load: () => import('./train.ts'),
  },
  harden: {
    about: 'train a model against attacks, and show what that gained and cost',
    load: () => import('./harden.ts'),
  },
  bundle: {
    about: 'pack a model with all that speaks for it into one file, and decide on it without network',
    load: () => import('./bundle.ts'),
  },
  registry: {
    about: 'keep models, say which is in production, and show who said so',
    load: () => import('./registry.ts'),
  },
  policy: {
    about: 'make, check and explain the file that says which evidence a model needs',
    load: () => import('./policy.ts'),
  },
  serve: {
    about: 'serve models under guard: keys, budgets, detectors, a log that can be verified',
    load: () => import('./serve.ts'),
  },
  gateway: {
    about: 'look at a running server, reload it, change versions, roll back, drain',
    load: () => import('./gateway.ts'),
  },
  console: {
    about: 'print a link that signs you in to the console of a running server',
    load: () => import('./console.ts'),
  },
  monitor: {
    about: 'let the monitors of attacks and drift look at past decisions',
    load: () => import('./monitor.ts'),
  },
  'monitor calibrate': {
    about: 'measure calm traffic, so that monitors know what is usual',
    load: () => import('./monitor-calibrate.ts'),
  },
  gate: {
    about: 'decide whether a model has the evidence that a policy asks for',
    load: () => import('./gate.ts'),
  },
  inspect: {
    about: 'show a model: operators, gradients, inputs and outputs',
    load: () => import('./inspect.ts'),
  },
  scan: {
    about: 'look for models that harm whoever loads them',
    load: () => import('./scan.ts'),
  },
  secrets: {
    about: 'look for keys and passwords in notebooks, source, configuration and models',
    load: () => import('./secrets.ts'),
  },
  sign: {
    about: 'sign a model: every file of it, with a key, a certificate, a token or an identity',
    load: () => import('./sign.ts'),
  },
  verify: {
    about: 'verify that a model is the one that somebody signed',
    load: () => import('./verify.ts'),
  },
  attest: {
    about: 'sign what was found about a model: assessments, scans, training records, decisions',
    load: () => import('./attest.ts'),
  },
  bom: {
    about: 'write the bill of materials of a model (CycloneDX)',
    load: () => import('./bom.ts'),
  },
  keygen: {
    about: 'make a key pair for signing',
    load: () => import('./keygen.ts'),
  },
  digest: {
    about: 'hash a model: the digest that signatures and statements name',
    load: () => import('./digest.ts'),
  },
  watermark: {
    about: 'find out whether a model was copied from answers of a gateway that marks them',
    load: () => import('./watermark.ts'),
  },
  log: {
    about: 'check, search and prove what a server decided',
    load: () => import('./log.ts'),
  },
  incident: {
    about: 'look at cases, act, find what was affected, pack and check evidence, rehearse',
    load: () => import('./incident.ts'),
  },
  backup: {
    about: 'copy store, log and keys of a server, while it runs',
    load: () => import('./backup.ts'),
  },
  restore: {
    about: 'make a server again from a backup',
    load: () => import('./restore.ts'),
  },
  doctor: {
    about: 'show what this machine has and which devices work',
    load: () => import('./doctor.ts'),
  },
};

/** Options that every command takes. */
const COMMON: OptionTable = {
  help: { help: 'show this help' },
  quiet: { help: 'only the result and errors' },
  debug: { help: 'show where an error comes from' },
  'log-level': {
    value: 'LEVEL',
    help: 'debug (as --debug), info, warning, error or critical (as --quiet); may stand before the command',
  },
};

/** Codes that mean the work could not be finished; all others mean wrong use or unreadable input. */
const UNFINISHED: ReadonlySet<ErrorCode> = new Set([
  'run/cancelled',
  'run/failed',
  'attack/violation',
  'endpoint/unavailable',
  'endpoint/bad-answer',
  'ledger/locked',
  'registry/storage',
  'manifest/changed',
  'signing/unavailable',
]);

/**
 * Runs the command line `argv` (without program and script) and gives the exit code: 0 good, 1 a negative verdict, 2 wrong
 * use or unreadable input, 3 could not finish.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let level: LogLevel | undefined;
  let words: readonly string[];
  try {
    ({ level, rest: words } = takeLogLevel(argv));
  } catch (thrown) {
    return report(thrown, false);
  }
  const debug = level === 'debug' || words.includes('--debug');
  const terminal = openTerminal({
    out: process.stdout,
    error: process.stderr,
    quiet: level === 'error' || level === 'critical' || words.includes('--quiet'),
    warningsOnly: level === 'warning',
    env: process.env,
    now: () => performance.now(),
  });
  try {
    const [name, args] = wordsOf(words);
    if (name === '--version' || name === 'version') {
      terminal.print(`${version()}\n`);
      return EXIT.good;
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      const [about] = name === 'help' ? wordsOf(args) : [];
      if (about === undefined) {
        terminal.print(overview(version(), COMMANDS, terminal));
        return name === undefined ? EXIT.wrongUse : EXIT.good;
      }
      const { command } = await find(about).load();
      terminal.print(helpFor(command, COMMON, terminal));
      return EXIT.good;
    }
    const { command } = await find(name).load();
    if (args.includes('--help') || args.includes('-h')) {
      terminal.print(helpFor(command, COMMON, terminal));
      return EXIT.good;
    }
    const given = readArgs(args, { ...command.options, ...COMMON });
    return await interruptible(
      (signal) => command.run({ given, args: argv, terminal, signal }),
      () => terminal.say('Stopping at the next safe place (once more to leave at once)…'),
    );
  } catch (thrown) {
    terminal.clear();
    return report(thrown, debug);
  }
}

/** The command, which may have two words (`attack timing`), and what follows it. */
function wordsOf(argv: readonly string[]): readonly [name: string | undefined, args: readonly string[]] {
  const [first, second, ...rest] = argv;
  const both = `${first} ${second}`;
  return Object.hasOwn(COMMANDS, both) ? [both, rest] : [first, argv.slice(1)];
}

function find(name: string): (typeof COMMANDS)[string] {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry) return entry;
  const names = Object.keys(COMMANDS);
  const what = name.startsWith('-') ? 'option' : 'command';
  throw new GlacisError(
    'option/unknown',
    `${name}: there is no such ${what}${suggestion(name, names) || `; the commands are ${names.join(', ')}`}`,
  );
}

function report(thrown: unknown, debug: boolean): number {
  const known = thrown instanceof GlacisError;
  // Messages name what stands in files that an attacker may have written.
  const message = visible(thrown instanceof Error ? thrown.message : String(thrown));
  process.stderr.write(
    known
      ? `glacis: ${message} [${thrown.code}]\n`
      : `glacis: something unexpected happened: ${message.split('\n')[0]}; please report it with the output of --debug\n`,
  );
  if (debug && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack}\n`);
    for (let cause = thrown.cause; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`caused by ${cause.stack}\n`);
  }
  return known && !UNFINISHED.has(thrown.code) ? EXIT.wrongUse : EXIT.unfinished;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
