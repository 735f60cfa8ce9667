import { environmentOf } from '../assess/environment.ts';
import { renderTrainingHtml } from '../report/training/html.ts';
import { startEngine } from '../runtime/engine.ts';
import { gather } from '../train/gather.ts';
import { type Epoch, noteOf } from '../train/journal.ts';
import { isRealLoss } from '../train/plan/criterion.ts';
import { planTraining } from '../train/plan/training.ts';
import { produce } from '../train/produce.ts';
import { RECIPES, usualRecipe } from '../train/recipes/registry.ts';
import { inputOf, outputsOf } from '../train/starting-model.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { ENGINE_OPTIONS, engineOptionsFrom } from './load-options.ts';
import { writeText } from './output.ts';
import { isPrivate, PRIVATE_OPTIONS } from './private-options.ts';
import type { Terminal } from './terminal.ts';
import { MATERIAL_OPTIONS, materialFrom, numberFrom, TRAINING_OPTIONS, wishesFrom } from './train-options.ts';
import { trainPrivatelyBy } from './train-privately.ts';
import {
  constraintFor,
  fileFrom,
  fromRecipe,
  openingWords,
  placesFrom,
  recipeFrom,
  recipeList,
  stopped,
} from './train-start.ts';

/** `glacis train`: a model from data, with its record. */
export const command: Command = {
  usage: 'train --data DATA [--recipe RECIPE | --model FILE] [options]',
  about:
    'Trains a model, built from a recipe or given as a file, and writes it as an ordinary ONNX file with a record of how it came to be. A run that is stopped or killed goes on with --resume and ends in the same bytes.',
  options: {
    recipe: {
      value: 'RECIPE',
      help: `the network to build, e.g. "cnn(channels=32 64)": ${RECIPES.map(({ id }) => id).join(', ')} (cnn for pictures, gru for sequences, mlp for tables unless given)`,
    },
    model: { value: 'FILE', help: 'an ONNX file to train on instead' },
    reinitialise: { help: 'draw the weights of --model anew' },
    'float-twin': { help: 'take a quantised --model as the float model that it stands for' },
    outputs: { value: 'N', help: 'outputs of the recipe (as many as the labels name classes unless given)' },
    ...MATERIAL_OPTIONS,
    ...TRAINING_OPTIONS,
    ...PRIVATE_OPTIONS,
    ...ENGINE_OPTIONS,
    out: { value: 'FILE', help: 'where the model goes (trained.onnx unless given)' },
    'fold-normalisation': { help: 'write BatchNormalization into the layers before it' },
    checkpoint: {
      value: 'FILE',
      help: 'where the run is kept (beside the model, removed at the end, unless given)',
    },
    resume: { help: 'go on from the checkpoint of an interrupted run' },
    json: { value: 'FILE', help: 'write the training record there, too' },
    log: { value: 'FILE', help: 'write a line of JSON every few steps and after each epoch' },
    report: { value: 'FILE', help: 'write a report with learning curves (HTML)' },
    recipes: { help: 'show all recipes with their options' },
  },
  examples: [
    [
      'glacis train --data traffic-signs:train --out signs.onnx --report signs.html',
      'a classifier of the bundled pictures',
    ],
    [
      "glacis train --data train.npz --validation test.npz --recipe 'resnet(depth=14)' --epochs 30 --augment 'shift(4),flip' --optimiser 'sgd(nesterov=true, weightDecay=5e-4)'",
      'a residual network with the usual settings',
    ],
    [
      "glacis train --data images.gz,labels.gz --recipe small-cnn --against 'trades(eps=0.3, steps=10)' --keep-best",
      'robust against changes of up to 0.3, TRADES',
    ],
    ['glacis train --data table.csv --loss huber --patience 5', 'a regression on a table'],
    [
      'glacis train --data images.gz,labels.gz --recipe opacus-cnn --epsilon 3 --delta 1e-5 --epochs 30 --logical-batch 512',
      'with differential privacy: no sample shows in the model by more than epsilon 3',
    ],
  ],
  run,
};

async function run(run: CommandRun): Promise<number> {
  const { given, args, terminal, signal } = run;
  if (given.flag('recipes')) {
    terminal.print(recipeList());
    return EXIT.good;
  }
  if (isPrivate(given)) return trainPrivatelyBy(run);
  const { data, out, checkpoint, json, log, report } = await placesFrom(given);
  const wishes = wishesFrom(given);
  const seed = wishes.seed ?? 0;
  const recipe = recipeFrom(given);
  const file = await fileFrom(given, seed, signal);
  const isReal = isRealLoss(wishes.loss);
  const gathered = await gather({
    data,
    validation: given.text('validation'),
    validationLabels: given.text('validation-labels'),
    share: numberFrom(given, 'validation-share'),
    seed,
    reading: { ...materialFrom(given), input: file && inputOf(file.model), isReal, signal },
  });
  const { training, validation } = gathered;
  const constraint = await constraintFor(given, training, validation, signal);
  const plan = planTraining(wishes, training, validation, file && outputsOf(file.model), constraint);
  const outputs = given.whole('outputs', 1) ?? plan.outputs;
  const start = file ?? fromRecipe(recipe ?? usualRecipe(training.shape), training, outputs, { seed });
  for (const note of [...training.notes, ...start.notes]) terminal.say(`Note: ${note}`);
  terminal.say(openingWords(start, training, validation));
  const engine = startEngine(engineOptionsFrom(given));
  try {
    const { record, recordPath: written } = await produce(engine, {
      start,
      training,
      plan,
      data: gathered.data,
      validation: gathered.validationRecord,
      environment: environmentOf(engine),
      out,
      checkpoint: {
        path: checkpoint,
        resume: given.flag('resume'),
        removeAtEnd: given.text('checkpoint') === undefined,
      },
      log,
      fold: given.flag('fold-normalisation'),
      command: commandLine(args),
      ...shownOn(terminal, plan.options.epochs, given.flag('resume')),
      signal,
    });
    terminal.clear();
    if (json !== undefined) await writeText(json, `${JSON.stringify(record, null, 2)}\n`);
    if (report !== undefined) await writeText(report, renderTrainingHtml(record));
    const last = record.epochs[record.outcome.epoch]!;
    terminal.print(
      [
        ...(record.outcome.stopped === null ? [] : [`Stopped early: ${record.outcome.stopped}`]),
        `Epoch ${record.outcome.epoch + 1} of ${plan.options.epochs}: ${epochWords(last)}`,
        `Model   ${out}`,
        `Record  ${written}`,
        ...(report === undefined ? [] : [`Report  ${report}`]),
        '',
      ].join('\n'),
    );
    return EXIT.good;
  } catch (thrown) {
    return stopped(thrown, run, checkpoint);
  } finally {
    await engine.close();
  }
}

/** Progress over all epochs, and a line after each. */
function shownOn(terminal: Terminal, epochs: number, isResumed: boolean) {
  let begun = 0;
  return {
    onStart(steps: number) {
      begun = steps;
      if (steps > 0) terminal.say(`Going on after step ${steps}.`);
      else if (isResumed) terminal.say('There is no checkpoint to go on from: the run begins.');
    },
    onStep({
      step,
      total,
      epoch,
      soFar,
    }: {
      step: number;
      total: number;
      epoch: number;
      soFar: Pick<Epoch, 'loss' | 'accuracy' | 'robust'>;
    }) {
      const note = `epoch ${epoch + 1} of ${epochs}, ${noteOf(soFar)}`;
      terminal.progress({ label: 'training', done: step - begun, total: total - begun, note });
    },
    onEpoch(epoch: Epoch, number: number) {
      terminal.say(`Epoch ${number + 1} of ${epochs}: ${epochWords(epoch)}`);
    },
  };
}

function epochWords(epoch: Partial<Epoch>): string {
  const validation = epoch.validation && `; validation: ${noteOf(epoch.validation)}`;
  return `${noteOf(epoch)}${validation ?? ''} (${epoch.seconds?.toFixed(1)} s)`;
}
