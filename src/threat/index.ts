/** Threat models, goals, and the ascent that attacks and adversarial training share. */
export { type AscentOptions, ascend } from './ascent.ts';
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
