/** Training as one graph a step. */
export { type Augment, cutout, flip, light, noise, shift } from './augment.ts';
export { binary } from './criterion/binary.ts';
export type { Criterion } from './criterion/criterion.ts';
export { type CrossEntropyOptions, crossEntropy, softCrossEntropy } from './criterion/cross-entropy.ts';
export { distillation } from './criterion/distillation.ts';
export { huber, meanSquaredError } from './criterion/regression.ts';
export { type Gathered, type GatherOptions, gather } from './gather.ts';
export { type Epoch, noteOf, type StepFigures } from './journal.ts';
export { centreOf, type Material, type MaterialOptions, openMaterial } from './material.ts';
export { free } from './objective/free.ts';
export { madry } from './objective/madry.ts';
export { mart } from './objective/mart.ts';
export type { Objective } from './objective/objective.ts';
export { plain } from './objective/plain.ts';
export type { TrainingThreat } from './objective/threat.ts';
export { trades } from './objective/trades.ts';
export { withWeightPerturbation } from './objective/weight-perturbation.ts';
export { type AdamOptions, adam, adamW } from './optimise/adam.ts';
export type { Optimiser } from './optimise/optimiser.ts';
export { type SgdOptions, sgd } from './optimise/sgd.ts';
export type { CheckpointOptions, TrainOptions, Validation } from './options.ts';
export {
  type PlannedTraining,
  planTraining,
  type TrainingConfig,
  type TrainingWishes,
} from './plan/training.ts';
export type { AdaptiveClipping } from './private/clipping.ts';
export type { PrivateEpoch } from './private/journal.ts';
export type { PrivateTrainOptions, PrivateValidation } from './private/options.ts';
export { type PrivatePlan, planPrivately } from './private/plan.ts';
export { trainPrivately } from './private/train-privately.ts';
export type { PrivatelyTrained } from './private/trained.ts';
export { type Produced, type Production, produce } from './produce.ts';
export { type ConvNetOptions, convNet } from './recipes/cnn.ts';
export type { Recipe, RecipeFrame, RecipeOptions } from './recipes/recipe.ts';
export { buildRecipe, describeRecipe, type PlannedRecipe, planRecipe, RECIPES } from './recipes/registry.ts';
export {
  type DataRecord,
  dataRecord,
  recordPath,
  TRAINING_SCHEMA,
  type TrainingEnvironment,
  type TrainingRecord,
} from './record.ts';
export { reinitialise } from './reinitialise.ts';
export type { LabelledSamples } from './samples.ts';
export { constant, cosine, oneCycle, type Schedule, type ScheduleOptions, steps } from './schedule.ts';
export { builtModel, openStartingModel, type StartingModel } from './starting-model.ts';
export { type Trained, train } from './trainer.ts';
