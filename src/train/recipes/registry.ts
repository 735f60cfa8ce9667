import { GlacisError } from '../../core/error.ts';
import { mergeOptions, parseSpecs, suggestion } from '../../core/options.ts';
import type { Model } from '../../onnx/model.ts';
import { cnn } from './cnn.ts';
import { gru } from './gru.ts';
import { mlp } from './mlp.ts';
import { opacusCnn } from './opacus-cnn.ts';
import type { Recipe, RecipeFrame, RecipeOptions } from './recipe.ts';
import { resnet } from './resnet.ts';
import { smallCnn } from './small-cnn.ts';
import { vit } from './vit.ts';

/** Every recipe, A to Z. */
export const RECIPES: readonly Recipe[] = [cnn, gru, mlp, opacusCnn, resnet, smallCnn, vit];

/** A recipe with its merged options. */
export interface PlannedRecipe {
  readonly recipe: Recipe;
  readonly options: RecipeOptions;
}

/** Reads `resnet(depth=20, norm=group)`. Errors: `option/unknown`, `option/invalid`. */
export function planRecipe(text: string): PlannedRecipe {
  const [spec, ...more] = parseSpecs(text);
  const recipe = RECIPES.find(({ id }) => id === spec!.name);
  const ids = RECIPES.map(({ id }) => id);
  if (more.length > 0)
    throw new GlacisError(
      'option/invalid',
      `recipe: expected one, got '${spec!.name}' and '${more[0]!.name}'`,
    );
  if (!recipe)
    throw new GlacisError(
      'option/unknown',
      `recipe: expected ${ids.join(', ')}, got '${spec!.name}'${suggestion(spec!.name, ids)}`,
    );
  // A list of one size reads as a number.
  const given = Object.entries(spec!.options).map(([key, value]) => [
    key,
    typeof recipe.defaults[key] === 'string' && typeof value === 'number' ? String(value) : value,
  ]);
  return { recipe, options: mergeOptions(recipe.id, recipe.defaults, Object.fromEntries(given)) };
}

/** The recipe that suits samples of this shape: `cnn` for pictures, `gru` for sequences, `mlp` for all else. */
export function usualRecipe(sampleDims: readonly number[]): PlannedRecipe {
  const [, height = 0, width = 0] = sampleDims;
  const id =
    sampleDims.length === 3 && Math.min(height, width) >= 4 ? 'cnn' : sampleDims.length === 2 ? 'gru' : 'mlp';
  return planRecipe(id);
}

/** Builds the network. Errors: `data/mismatch` for samples that are not what the recipe takes; those of its options. */
export function buildRecipe({ recipe, options }: PlannedRecipe, frame: RecipeFrame): Model {
  if (recipe.rank !== undefined && frame.input.length !== recipe.rank)
    throw new GlacisError(
      'data/mismatch',
      `${recipe.id}: expected ${recipe.rank === 3 ? 'pictures [channels, height, width]' : 'sequences [time, features]'}, got samples of [${frame.input.join(', ')}]`,
    );
  return recipe.build(frame, options);
}

/** The recipe as {@link planRecipe} reads it, with all its options. */
export function describeRecipe({ recipe, options }: PlannedRecipe): string {
  const listed = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  return listed.length === 0 ? recipe.id : `${recipe.id}(${listed.join(', ')})`;
}
