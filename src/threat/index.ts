/** Threat models, goals, and the ascent that attacks and adversarial training share. */
export { type AscentOptions, ascend } from './ascent.ts';
export { checkClean } from './constraint/clean-samples.ts';
export { bytesOf, eightBit } from './constraint/eight-bit.ts';
export { type ConstraintContext, constraintFrom } from './constraint/from-file.ts';
export { importance, weightedDistance } from './constraint/importance.ts';
export { joined } from './constraint/joined.ts';
export { mask } from './constraint/mask.ts';
export { series } from './constraint/series.ts';
export type { SeriesSchema } from './constraint/series-schema.ts';
export type { TableSchema } from './constraint/table-schema.ts';
export { tabular } from './constraint/tabular.ts';
export type { Constraint } from './constraint.ts';
export {
  binaryGoal,
  classificationGoal,
  type Goal,
  multilabelGoal,
  regressionGoal,
  TASKS,
  type Task,
} from './goal.ts';
export { type Ball, distance, epsFrom, NORMS, type Norm, normFrom, randomStart } from './norm.ts';
