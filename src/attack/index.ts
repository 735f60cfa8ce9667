/** The attacks, by name. */
export { type Attack, type AttackRun, defineAttack } from './attack.ts';
export { bim, fgsm, type PgdOptions, pgd } from './evasion/pgd.ts';
export { EVASION_ATTACKS, type PlannedAttack, planAttack } from './registry.ts';
