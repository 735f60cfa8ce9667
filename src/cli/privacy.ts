import { homedir } from 'node:os';
import { GlacisError } from '../core/error.ts';
import {
  type Accountant,
  deltaWarning,
  epsilonFor,
  type LedgerRun,
  ledgerPath,
  noiseFor,
  type PrivacyStatement,
  type PrivacyTarget,
  type PrivateRun,
  rateFor,
  runsOn,
  sentenceOf,
  stepsFor,
} from '../privacy/index.ts';
import { checkDelta, checkEpsilon, checkRun } from '../privacy/private-run.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';
import { listedRuns, oneNumber, type PartialRun, runFrom, runsOfFile } from './private-runs.ts';

/** `glacis privacy budget`: what private training runs promise, before or after they ran. */
export const command: Command = {
  usage: 'privacy budget --delta D (--rate Q | --batch B --samples N) --noise S (--steps T | --epochs E)',
  about:
    'Says what differentially private training promises: the epsilon of runs with Poisson sampling, for data sets that differ by one sample more or less. With --target-epsilon it finds what was left out: the noise, the steps or the rate.',
  options: {
    delta: { value: 'D', help: 'probability outside the promise; below one over the number of samples' },
    rate: { value: 'Q', help: 'probability with which a sample joins a batch' },
    batch: { value: 'B', help: 'expected batch size; with --samples, in place of --rate' },
    samples: { value: 'N', help: 'number of samples' },
    noise: { value: 'S', help: 'noise multiplier: standard deviation of the noise over the clipping norm' },
    steps: { value: 'T', help: 'number of steps' },
    epochs: { value: 'E', help: 'in place of --steps' },
    'target-epsilon': {
      value: 'E',
      help: 'find the one of noise, steps and rate that is left out; with none left out, leave with 1 when it is missed',
    },
    accountant: { value: 'NAME', help: 'pld (tight), rdp (looser, quicker) or both; both unless given' },
    run: { value: 'Q,S,T', help: 'another run on the same data: rate, noise, steps', many: true },
    compose: { value: 'FILE', help: 'more runs: a JSON list of { "rate", "noise", "steps" }' },
    'data-set': { value: 'DIGEST', help: 'count what the ledger has for this data set, too' },
    ledger: { value: 'FILE', help: 'the ledger; GLACIS_PRIVACY_LEDGER or one in your home unless given' },
    json: { value: 'FILE', help: 'the same as JSON' },
  },
  examples: [
    [
      'glacis privacy budget --batch 240 --samples 60000 --noise 1.1 --epochs 60 --delta 1e-5',
      'what does this training promise?',
    ],
    [
      'glacis privacy budget --batch 240 --samples 60000 --epochs 60 --delta 1e-5 --target-epsilon 3',
      'how much noise does epsilon 3 need?',
    ],
    [
      'glacis privacy budget --data-set sha256:… --delta 1e-5',
      'what was spent on this data set by all trainings together?',
    ],
  ],
  async run({ given, terminal, signal }) {
    if (given.positionals.join(' ') !== 'budget')
      throw new GlacisError(
        'option/unknown',
        `privacy: expected 'budget', got '${given.positionals.join(' ')}'`,
      );
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const delta = oneNumber(given, 'delta');
    if (delta === undefined)
      throw new GlacisError('option/invalid', '--delta: expected a probability, such as 1e-5, got nothing');
    checkDelta(delta, '--delta');
    const target = oneNumber(given, 'target-epsilon');
    if (target !== undefined) checkEpsilon(target, '--target-epsilon');
    const accountants = accountantsFrom(given.choice('accountant', ['pld', 'rdp', 'both']) ?? 'both');
    const samples = given.whole('samples', 1);
    const partial = runFrom(given);

    const dataSet = given.text('data-set');
    const ledger = given.text('ledger') ?? ledgerPath(process.env, homedir());
    if (dataSet === undefined && given.text('ledger') !== undefined)
      throw new GlacisError('option/invalid', '--ledger: expected --data-set beside it, got nothing');
    const spent = dataSet === undefined ? [] : await runsOn(ledger, dataSet);
    const file = given.text('compose');
    const listed = [...listedRuns(given), ...(file === undefined ? [] : await runsOfFile(file))];
    const before = [...spent.map(({ run }) => run), ...listed];

    const own = ownRun(partial, target, { delta, before }, { accountant: accountants[0]!, signal });
    const runs = own ? [...before, own.run] : before;
    if (runs.length === 0 && dataSet === undefined)
      throw new GlacisError('option/invalid', 'privacy budget: expected a run (see --help), got none');
    const statements =
      runs.length === 0 ? [] : accountants.map((a) => epsilonFor(runs, delta, { accountant: a, signal }));
    const warnings =
      samples === undefined ? [] : [deltaWarning(delta, samples)].filter((w) => w !== undefined);
    const decides = statements[0];
    const kept = target === undefined ? undefined : !decides || decides.epsilon <= target;
    const result: BudgetResult = {
      schema: 'glacis.privacy-budget/1',
      delta,
      ...(target === undefined ? {} : { target: { epsilon: target, kept: kept! } }),
      ...(own ? { run: own.run } : {}),
      ...(own?.found ? { found: own.found } : {}),
      ...(dataSet === undefined ? {} : { dataSet, ledger, spent }),
      listed,
      statements,
      warnings,
    };
    if (json !== undefined) await writeText(json, `${JSON.stringify(result, null, 2)}\n`);
    terminal.print(textOf(result));
    for (const warning of warnings) terminal.say(`Warning: ${warning}`);
    if (json !== undefined) terminal.say(`Result: ${json}`);
    return kept === false ? EXIT.negative : EXIT.good;
  },
};

/** What the command found out. */
interface BudgetResult {
  readonly schema: 'glacis.privacy-budget/1';
  readonly delta: number;
  readonly target?: { readonly epsilon: number; readonly kept: boolean };
  /** The run that was asked about, complete. */
  readonly run?: PrivateRun;
  /** Which part of it was found. */
  readonly found?: keyof PrivateRun;
  readonly dataSet?: string;
  readonly ledger?: string;
  /** What the ledger has. */
  readonly spent?: readonly LedgerRun[];
  /** Runs of `--run` and `--compose`. */
  readonly listed: readonly PrivateRun[];
  /** Of all runs together; the first decides whether the target is kept. */
  readonly statements: readonly PrivacyStatement[];
  readonly warnings: readonly string[];
}

/** The tight accountant first: it decides. */
function accountantsFrom(choice: Accountant | 'both'): readonly Accountant[] {
  return choice === 'both' ? ['pld', 'rdp'] : [choice];
}

/** The run that was asked about, with what was left out found; nothing when no part of it was given. */
function ownRun(
  { rate, noise, steps }: PartialRun,
  epsilon: number | undefined,
  target: Omit<PrivacyTarget, 'epsilon'>,
  options: { readonly accountant: Accountant; readonly signal: AbortSignal },
): { readonly run: PrivateRun; readonly found?: keyof PrivateRun } | undefined {
  if (rate === undefined && noise === undefined && steps === undefined) return undefined;
  if (rate !== undefined && noise !== undefined && steps !== undefined) {
    checkRun({ rate, noise, steps });
    return { run: { rate, noise, steps } };
  }
  if (epsilon !== undefined) {
    const whole = { ...target, epsilon };
    if (rate !== undefined && steps !== undefined)
      return { run: noiseFor({ rate, steps }, whole, options).run, found: 'noise' };
    if (rate !== undefined && noise !== undefined)
      return { run: stepsFor({ rate, noise }, whole, options).run, found: 'steps' };
    if (noise !== undefined && steps !== undefined)
      return { run: rateFor({ noise, steps }, whole, options).run, found: 'rate' };
  }
  const missing = Object.entries({
    '--rate (or --batch and --samples)': rate,
    '--noise': noise,
    '--steps (or --epochs)': steps,
  })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  throw new GlacisError(
    'option/invalid',
    `privacy budget: expected ${missing.join(' and ')} as well, or one of them less and --target-epsilon, got neither`,
  );
}

function textOf({ run, found, spent, listed, statements, target, dataSet }: BudgetResult): string {
  const line = ({ rate, noise, steps }: PrivateRun) =>
    `rate ${Number(rate.toPrecision(6))}, noise ${Number(noise.toPrecision(6))}, ${steps} step${steps === 1 ? '' : 's'}`;
  const lines = [
    ...(spent ?? []).map(
      (s) => `Ledger  ${line(s.run)} (${s.at.slice(0, 10)}${s.ended ? '' : ', reserved, no end recorded'})`,
    ),
    ...listed.map((r) => `Before  ${line(r)}`),
    ...(run ? [`Run     ${line(run)}${found ? ` (${found} found for the target)` : ''}`] : []),
    ...(dataSet !== undefined && statements.length === 0 ? ['The ledger has no run on this data set.'] : []),
    '',
    ...statements.map((s) => `${s.accountant.toUpperCase()}     ${sentenceOf(s)}`),
    ...(target ? [`Target  epsilon ${target.epsilon}: ${target.kept ? 'kept' : 'MISSED'}`] : []),
  ];
  return `${lines.join('\n').trim()}\n`;
}
