import { resolve } from 'node:path';
import { openTrainingConstraint } from '../assess/open-training-constraint.ts';
import { GlacisError } from '../core/error.ts';
import { centreOf, type Material } from '../train/material.ts';
import type { TrainingConstraint } from '../train/objective/inner-attack.ts';
import {
  buildRecipe,
  describeRecipe,
  type PlannedRecipe,
  planRecipe,
  RECIPES,
} from '../train/recipes/registry.ts';
import { recordPath } from '../train/record.ts';
import { builtModel, openStartingModel, type StartingModel } from '../train/starting-model.ts';
import type { Given } from './args.ts';
import { type CommandRun, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { prepareFile } from './output.ts';

/** Where `glacis train` reads and writes. */
export interface TrainPlaces {
  readonly data: string;
  readonly out: string;
  readonly checkpoint: string;
  readonly json: string | undefined;
  readonly log: string | undefined;
  readonly report: string | undefined;
}

/** Reads and prepares them. Errors: `option/invalid`, `output/unwritable`. */
export async function placesFrom(given: Given): Promise<TrainPlaces> {
  const [surplus] = given.positionals;
  if (surplus !== undefined)
    throw new GlacisError(
      'option/invalid',
      `train: expected options only, got '${surplus}'; the model goes with --model FILE`,
    );
  const data = given.text('data');
  if (data === undefined)
    throw new GlacisError('option/invalid', 'train: expected --data DATA, got nothing; see --help');
  const out = given.text('out') ?? 'trained.onnx';
  const path = given.text('model');
  if (path !== undefined && resolve(path) === resolve(out))
    throw new GlacisError('option/invalid', `--out: expected another file than --model, got ${out} for both`);
  const checkpoint = given.text('checkpoint') ?? `${out.replace(/\.onnx$/i, '')}.checkpoint`;
  const [json, log, report] = [given.text('json'), given.text('log'), given.text('report')];
  for (const file of [out, recordPath(out), checkpoint, json, log, report])
    if (file !== undefined) await prepareFile(file);
  return { data, out, checkpoint, json, log, report };
}

/** The model of `--model`, its weights drawn anew where that is asked for. Errors: those of `openStartingModel`. */
export async function fileFrom(
  given: Given,
  seed: number,
  signal: AbortSignal,
): Promise<StartingModel | undefined> {
  const path = given.text('model');
  if (path === undefined) return undefined;
  return openStartingModel(path, {
    reinitialise: given.flag('reinitialise') ? seed : undefined,
    floatTwin: given.flag('float-twin'),
    signal,
  });
}

/** The constraint of `--constraint`, which all samples satisfy. Errors: those of `openTrainingConstraint`. */
export async function constraintFor(
  given: Given,
  training: Material,
  validation: Material | undefined,
  signal: AbortSignal,
): Promise<TrainingConstraint | undefined> {
  const path = given.text('constraint');
  if (path === undefined) return undefined;
  return openTrainingConstraint(path, [training, ...(validation ? [validation] : [])], signal);
}

/** Says that a run was stopped and how it goes on; other errors pass. */
export function stopped(
  thrown: unknown,
  { args, terminal }: Pick<CommandRun, 'args' | 'terminal'>,
  checkpoint: string,
): number {
  if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
  terminal.clear();
  const again = commandLine(args.includes('--resume') ? args : [...args, '--resume']);
  terminal.say(`Stopped; ${checkpoint} holds the run. Go on with: ${again}`);
  return EXIT.unfinished;
}

/** The network that `--recipe` asks for. Errors: `option/unknown`, `option/invalid`, also for options that belong to `--model`. */
export function recipeFrom(given: Given): PlannedRecipe | undefined {
  const text = given.text('recipe');
  const hasModel = given.text('model') !== undefined;
  if (text !== undefined && hasModel)
    throw new GlacisError('option/invalid', '--recipe: expected it without --model, got both');
  for (const name of ['reinitialise', 'float-twin'])
    if (given.flag(name) && !hasModel)
      throw new GlacisError('option/invalid', `--${name}: expected --model FILE as well, got none`);
  if (given.text('outputs') !== undefined && hasModel)
    throw new GlacisError('option/invalid', '--outputs: expected it without --model, got both');
  return text === undefined ? undefined : planRecipe(text);
}

/** The recipe's network for these data: pixels in 0–1 are centred by constants, other data by their own mean and deviation, or by `centre` (null: not at all). */
export function fromRecipe(
  planned: PlannedRecipe,
  material: Material,
  outputs: number,
  { seed, centre = usualCentre(material) }: { readonly seed: number; readonly centre?: Centre | null },
): StartingModel {
  const { shape } = material;
  const output = material.isReal ? 'predictions' : 'logits';
  const model = buildRecipe(planned, { input: shape, outputs, seed, output, ...(centre ? { centre } : {}) });
  return builtModel(model, describeRecipe(planned));
}

/** What inputs are centred by: the deviation and mean of each feature, or one of all. */
type Centre = ReturnType<typeof centreOf>;

function usualCentre(material: Material): Centre {
  return material.isRanged && material.shape.length === 3 ? centreOfRange(material) : centreOf(material);
}

/** The middle of the range, and a quarter of its width: nothing of it depends on what the samples are. */
export function centreOfRange({ bounds: [low, high] }: Pick<Material, 'bounds'>): Centre {
  return { mean: [(low + high) / 2], std: [(high - low) / 4] };
}

/** What a training begins with, in a sentence. */
export function openingWords(
  { origin }: StartingModel,
  training: Material,
  validation: Material | undefined,
): string {
  const what = 'recipe' in origin ? origin.recipe : origin.file;
  const held = validation ? `, ${validation.n} to measure on` : '';
  return `Training ${what} on ${training.n} samples of [${training.shape.join(', ')}]${held}.`;
}

/** All recipes with their options. */
export function recipeList(): string {
  return RECIPES.map(({ id, use, defaults, explained }) =>
    [
      `${id}: ${use}`,
      ...Object.entries(defaults).map(([key, value]) => `  ${key}=${value}  ${explained[key]}`),
      '',
    ].join('\n'),
  ).join('\n');
}
