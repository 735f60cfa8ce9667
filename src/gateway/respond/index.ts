/** How much of what a model says is told. */
export { openAnswers } from './answers.ts';
export { answersSchema } from './config-schema.ts';
export { type MarkRegister, openMarkRegister, readMarks } from './mark-register.ts';
export { genuine, type TheftEvidence, theftEvidence } from './theft.ts';
export { markingOf, watermarkCommitment } from './watermark.ts';
