import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { environmentOf } from '../assess/environment.ts';
import { GlacisError } from '../core/error.ts';
import { ledgerPath, sentenceOf } from '../privacy/index.ts';
import { renderTrainingHtml } from '../report/training/html.ts';
import { startEngine } from '../runtime/engine.ts';
import { gather } from '../train/gather.ts';
import { noteOf } from '../train/journal.ts';
import type { Material } from '../train/material.ts';
import { isRealLoss } from '../train/plan/criterion.ts';
import { planPrivateTraining } from '../train/plan/private-training.ts';
import { checkPrivateStart } from '../train/private/private-start.ts';
import { producePrivately } from '../train/private/produce-privately.ts';
import { usualRecipe } from '../train/recipes/registry.ts';
import type { PrivacyRecord, RecordedEpoch } from '../train/record.ts';
import { openRunLog } from '../train/run-log.ts';
import { inputOf, outputsOf } from '../train/starting-model.ts';
import { type CommandRun, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { engineOptionsFrom } from './load-options.ts';
import { writeText } from './output.ts';
import { privateWishesFrom } from './private-options.ts';
import { materialFrom, numberFrom } from './train-options.ts';
import {
  centreOfRange,
  constraintFor,
  fileFrom,
  fromRecipe,
  openingWords,
  placesFrom,
  recipeFrom,
  stopped,
} from './train-start.ts';

/** Rights of files with figures that were computed on private samples: the owner's alone. */
const OWNER_ONLY = { mode: 0o600 };

/** Seed of weights that are drawn anew. It is public: what hides samples is the noise. */
const START_SEED = 0;

/** `glacis train --epsilon`: a model, and what it promises about each sample it was trained on. */
export async function trainPrivatelyBy(run: CommandRun): Promise<number> {
  const { given, args, terminal, signal } = run;
  const { data, out, checkpoint, json, log, report } = await placesFrom(given);
  const wishes = privateWishesFrom(given);
  const resume = given.flag('resume');
  if (resume && !existsSync(checkpoint))
    throw new GlacisError(
      'option/invalid',
      `--resume: expected ${checkpoint} of an interrupted run, found none; a run that begins spends its whole budget: leave --resume out for that`,
    );
  const recipe = recipeFrom(given);
  const file = await fileFrom(given, START_SEED, signal);
  const reading = materialFrom(given);
  const gathered = await gather({
    data,
    validation: given.text('validation'),
    validationLabels: given.text('validation-labels'),
    share: given.text('validation') === undefined ? 0 : undefined,
    seed: START_SEED,
    reading: { ...reading, input: file && inputOf(file.model), isReal: isRealLoss(wishes.loss), signal },
  });
  const { training, validation } = gathered;
  const constraint = await constraintFor(given, training, validation, signal);
  const plan = planPrivateTraining(wishes, training, validation, file && outputsOf(file.model), constraint);
  const outputs = given.whole('outputs', 1) ?? plan.outputs;
  const start =
    file ??
    fromRecipe(recipe ?? usualRecipe(training.shape), training, outputs, {
      seed: START_SEED,
      centre: publicCentre(training),
    });
  const weights = checkPrivateStart(start, given.flag('public-weights'));
  for (const note of [...training.notes, ...start.notes, ...notesFor(training, file === undefined)])
    terminal.say(`Note: ${note}`);
  terminal.say(openingWords(start, training, validation));
  const ledger = given.text('ledger') ?? ledgerPath(process.env, homedir());
  const epochs = Math.ceil(plan.options.epochs);
  const lines = log === undefined ? undefined : openRunLog(log, epochs, OWNER_ONLY);
  const engine = startEngine(engineOptionsFrom(given));
  try {
    const { record, recordPath } = await producePrivately(engine, {
      start,
      training,
      plan,
      data: gathered.data,
      validation: gathered.validationRecord,
      environment: environmentOf(engine),
      out,
      checkpoint: { path: checkpoint, resume },
      ledger: { path: ledger, most: numberFrom(given, 'ledger-limit') },
      weights,
      command: commandLine(args),
      onWarning: (warning) => terminal.say(`Warning: ${warning}`),
      onStart(steps, total, closed) {
        lines?.started(steps, total, closed);
        if (resume) terminal.say(`Going on after step ${steps}.`);
      },
      onEpoch(epoch, number) {
        lines?.epoch(epoch, number);
        terminal.say(`Epoch ${number + 1} of ${epochs}: ${epochWords(epoch)}`);
      },
      progress: terminal.progress,
      signal,
    });
    terminal.clear();
    if (json !== undefined) await writeText(json, `${JSON.stringify(record, null, 2)}\n`, OWNER_ONLY);
    if (report !== undefined) await writeText(report, renderTrainingHtml(record), OWNER_ONLY);
    terminal.print(
      [
        `Epoch ${epochs} of ${epochs}: ${epochWords(record.epochs.at(-1)!)}`,
        ...privacyLines(record.privacy!),
        `Model    ${out}`,
        `Record   ${recordPath}`,
        `Ledger   ${ledger} (data set ${training.dataSet})`,
        ...(report === undefined ? [] : [`Report   ${report} (for the owner of the data only)`]),
        '',
      ].join('\n'),
    );
    return EXIT.good;
  } catch (thrown) {
    return stopped(thrown, run, checkpoint);
  } finally {
    lines?.close();
    await engine.close();
  }
}

/** What inputs are centred by without looking at them. */
function publicCentre(training: Material) {
  return training.isRanged ? centreOfRange(training) : null;
}

function notesFor({ isRanged }: Material, isRecipe: boolean): readonly string[] {
  return isRecipe && !isRanged
    ? [
        'inputs are not centred, because their mean and deviation are private; standardise them by numbers that may be known, or give --range LOW,HIGH',
      ]
    : [];
}

function epochWords(epoch: RecordedEpoch): string {
  const { validation, unclipped, clip, seconds } = epoch;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    noteOf(epoch),
    ...(unclipped === undefined ? [] : [`unclipped ${percent(unclipped)} at ${clip!.toPrecision(3)}`]),
    ...(validation ? [`validation: ${noteOf(validation)}`] : []),
    `${seconds!.toFixed(1)} s`,
  ].join('; ');
}

/** What is promised, in lines. */
function privacyLines({
  statements,
  allRuns,
  steps,
  noise,
  expectedBatch,
  warnings,
}: PrivacyRecord): readonly string[] {
  return [
    `Privacy  ${steps} steps of ${Number(expectedBatch.toPrecision(6))} samples on average, noise ${Number(noise.toPrecision(6))}`,
    ...statements.map((each) => `         ${sentenceOf(each)}`),
    ...(allRuns && allRuns.runs > 1
      ? [`         all ${allRuns.runs} private runs on these data together: ${sentenceOf(allRuns.statement)}`]
      : []),
    ...warnings.map((warning) => `         Warning: ${warning}`),
  ];
}
