import { homedir } from 'node:os';
import { join } from 'node:path';
import { comparisonToJson } from '../assess/index.ts';
import { LEVELS } from '../assess/levels.ts';
import { planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import { parseSpecs } from '../core/options.ts';
import { FILES, GOALS, type HardenOptions, harden, USUAL_EPSILON } from '../harden/index.ts';
import { ledgerPath } from '../privacy/index.ts';
import { renderComparisonHtml } from '../report/compare/html.ts';
import { renderComparisonText } from '../report/compare/text.ts';
import { renderTrainingHtml } from '../report/training/html.ts';
import { startEngine } from '../runtime/engine.ts';
import { epsFrom } from '../threat/norm.ts';
import { noteOf, type StepFigures } from '../train/journal.ts';
import type { RecordedEpoch } from '../train/record.ts';
import type { Given, OptionTable } from './args.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { ENGINE_OPTIONS, engineOptionsFrom } from './load-options.ts';
import { prepareFolder, writeText } from './output.ts';
import { PRIVATE_OPTIONS, privateWishesFrom } from './private-options.ts';
import type { Terminal } from './terminal.ts';
import { MATERIAL_OPTIONS, materialFrom, numberFrom, TRAINING_OPTIONS, wishesFrom } from './train-options.ts';

/** What the plan decides in any case, or what is held back by itself. */
const OWN = new Set([
  'validation',
  'validation-labels',
  'validation-share',
  'keep-best',
  'when-catastrophic',
]);
const without = (table: OptionTable): OptionTable =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !OWN.has(name)));
/** Test samples that are attacked unless their number is given. */
const TESTED = 500;
const USUAL_BUDGET = 600;

/** `glacis harden`: a model that withstands more, and what that was worth. */
export const command: Command = {
  usage: 'harden MODEL --data TRAIN --test TEST [options]',
  about:
    'Measures a model, trains it within a time to withstand attacks, to give no training sample away, or both, measures it again on the same samples in the same way, and says in plain words what was gained and what it cost. Settings follow from model, data and time; every one can be given. An interrupted run goes on with --resume.',
  options: {
    goal: {
      value: 'GOAL',
      help: `${GOALS.join(', ')}: withstand attacks, protect each training sample (differential privacy, with weights drawn anew), or both at once (robust unless given)`,
    },
    ...without(MATERIAL_OPTIONS),
    test: {
      value: 'DATA',
      help: 'samples to measure on, before and after; read like --data, never learned from',
    },
    tested: { value: 'N', help: `how many of them to attack (${TESTED} unless given)` },
    eps: {
      value: 'EPS',
      help: "radius to stand against, in the input's units (8/255 of the range of pictures unless given)",
    },
    budget: { value: 'TIME', help: 'time for everything, e.g. 90s, 10m or 1h (10m unless given)' },
    ...without(TRAINING_OPTIONS),
    epochs: { value: 'N', help: 'times to go through the data (as many as the time allows unless given)' },
    against: {
      value: 'OBJECTIVE',
      help: 'what to train against, e.g. "trades(eps=0.3, steps=10, beta=6), awp" (chosen by radius and time unless given; see train --help)',
    },
    average: { value: 'DECAY', help: 'average of the weights over the steps (0.995 unless given)' },
    ...PRIVATE_OPTIONS,
    epsilon: {
      value: 'E',
      help: `goals private and both: what may be spent (${USUAL_EPSILON} unless given, or --noise-multiplier)`,
    },
    attacks: { value: 'LIST', help: 'attacks before and after (those of the level unless given)' },
    level: { value: 'LEVEL', help: `how much to attack: ${LEVELS.join(', ')} (quick unless given)` },
    reinitialise: { help: 'draw the weights anew in place of going on from them' },
    'float-twin': { help: 'take a quantised model as the float model that it stands for' },
    ...ENGINE_OPTIONS,
    out: { value: 'DIR', help: 'folder for model, results and reports (glacis-hardened unless given)' },
    resume: { help: 'go on from what an interrupted run left in DIR' },
  },
  examples: [
    ['glacis harden model.onnx --data train.npz --test test.npz', 'ten minutes, settings by themselves'],
    [
      'glacis harden mnist.onnx --data train-images.gz,train-labels.gz --test images.gz,labels.gz --eps 0.3 --budget 1h',
      'an hour against changes of up to 0.3',
    ],
    [
      "glacis harden signs.onnx --data traffic-signs:train --test traffic-signs:test --against 'trades(eps=8/255, steps=7)' --epochs 10",
      'with settings of your own',
    ],
    [
      'glacis harden model.onnx --goal private --data train.npz --test test.npz --epsilon 3 --delta 1e-5',
      'the same network, trained anew so that no training sample shows',
    ],
  ],
  run,
};

async function run({ given, args, terminal, signal }: CommandRun): Promise<number> {
  const [model, ...surplus] = given.positionals;
  if (model === undefined || surplus.length > 0)
    throw new GlacisError(
      'option/invalid',
      `harden: expected one MODEL, got ${given.positionals.join(' ') || 'nothing'}; see --help`,
    );
  const [data, test] = (['data', 'test'] as const).map((name) => {
    const value = given.text(name);
    if (value === undefined)
      throw new GlacisError('option/invalid', `harden: expected --${name} DATA, got nothing; see --help`);
    return value;
  });
  const out = given.text('out') ?? 'glacis-hardened';
  const level = given.choice('level', LEVELS);
  const listed = given.text('attacks');
  if (level !== undefined && listed !== undefined)
    throw new GlacisError('option/invalid', '--level: expected it without --attacks, got both');
  const attacks = listed === undefined ? undefined : parseSpecs(listed);
  attacks?.forEach(planAttack);
  const eps = given.text('eps');
  const aim = aimFrom(given);
  const engineOptions = engineOptionsFrom(given);
  const budget = secondsFrom(given) ?? USUAL_BUDGET;
  await prepareFolder(out);
  for (const name of [FILES.before, FILES.after]) await prepareFolder(join(out, name));
  const engine = startEngine(engineOptions);
  try {
    const { record, comparison, words } = await harden(engine, {
      model,
      data: data!,
      test: test!,
      reading: materialFrom(given),
      norm: given.choice('norm', ['linf', 'l2']) ?? 'linf',
      eps: eps === undefined ? undefined : epsFrom(eps),
      constraint: given.text('constraint'),
      budget,
      ...aim,
      attacks,
      level: level ?? 'quick',
      tested: given.whole('tested', 1) ?? TESTED,
      floatTwin: given.flag('float-twin'),
      reinitialise: given.flag('reinitialise'),
      seed: given.whole('seed', 0) ?? 0,
      out,
      resume: given.flag('resume'),
      threads: engineOptions.threads,
      command: commandLine(args),
      signal,
      say: terminal.say,
      progress: terminal.progress,
      ...shownOn(terminal),
    });
    terminal.clear();
    const report = join(out, 'report.html');
    await writeText(report, renderComparisonHtml(comparison));
    await writeText(
      join(out, 'training.html'),
      renderTrainingHtml(record),
      record.privacy ? { mode: 0o600 } : {},
    );
    await writeText(join(out, 'comparison.json'), comparisonToJson(comparison));
    terminal.print(renderComparisonText(comparison, { width: terminal.width }));
    terminal.print(`\n${words.join('\n')}\n\nModel   ${join(out, FILES.model)}\nReport  ${report}\n`);
    return EXIT.good;
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
    terminal.clear();
    const again = commandLine(args.includes('--resume') ? args : [...args, '--resume']);
    terminal.say(`Stopped; ${out} holds what is there. Go on with: ${again}`);
    return EXIT.unfinished;
  } finally {
    await engine.close();
  }
}

/** The goal with what belongs to it. Errors: `option/invalid` for options of another goal. */
function aimFrom(given: Given): Pick<HardenOptions, 'goal' | 'wishes' | 'privacy'> {
  const goal = given.choice('goal', GOALS) ?? 'robust';
  const attacking = ['against', 'constraint'].find((name) => given.flag(name));
  if (goal === 'private' && attacking !== undefined)
    throw new GlacisError(
      'option/invalid',
      `--${attacking}: expected the goal robust or both, got it for private; --goal both trains against attacks privately`,
    );
  if (goal !== 'robust')
    return {
      goal,
      wishes: {},
      privacy: {
        wishes: privateWishesFrom(given),
        publicWeights: given.flag('public-weights'),
        ledger: {
          path: given.text('ledger') ?? ledgerPath(process.env, homedir()),
          most: numberFrom(given, 'ledger-limit'),
        },
      },
    };
  const stray = Object.keys(PRIVATE_OPTIONS).find((name) => given.flag(name));
  if (stray !== undefined)
    throw new GlacisError(
      'option/invalid',
      `--${stray}: expected --goal private or both beside it, got robust`,
    );
  const { keepBest: _, whenCatastrophic: __, ...wishes } = wishesFrom(given);
  return { goal, wishes };
}

/** `--budget` in seconds. Errors: `option/invalid`. */
function secondsFrom(given: Given): number | undefined {
  const text = given.text('budget');
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(s|m|min|h)?$/.exec(text) ?? [];
  const seconds = Number(amount) * { s: 1, m: 60, min: 60, h: 3600 }[(unit ?? 's') as 's'];
  if (!(seconds > 0 && Number.isFinite(seconds)))
    throw new GlacisError(
      'option/invalid',
      `--budget: expected a time such as 90s, 10m or 1h, got '${text}'`,
    );
  return seconds;
}

function shownOn(terminal: Terminal) {
  return {
    onStep({ step, total, epoch, soFar }: StepFigures) {
      terminal.progress({
        label: 'training',
        done: step,
        total,
        note: `epoch ${epoch + 1}, ${noteOf(soFar)}`,
      });
    },
    onEpoch(epoch: RecordedEpoch, number: number) {
      const held = epoch.validation ? `; held back: ${noteOf(epoch.validation)}` : '';
      terminal.say(`Epoch ${number + 1}: ${noteOf(epoch)}${held} (${epoch.seconds?.toFixed(1)} s)`);
    },
  };
}
