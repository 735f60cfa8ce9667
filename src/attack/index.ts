/** The attacks, by name, and how to write one. */
export { type Attack, type AttackRun, defineAttack } from './attack.ts';
export { bim, fgsm, type PgdOptions, pgd } from './evasion/pgd.ts';
export type { Answer, AnswersQuestion, GradientQuestion, Loss, Question, Talk } from './question.ts';
export { EVASION_ATTACKS, type PlannedAttack, planAttack, planned } from './registry.ts';
export { defineSampleAttack, type SampleAttack, type Victim } from './sample-attack.ts';
