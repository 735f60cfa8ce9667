/** How much of what a model says is told. */
export { type AnswerSurroundings, openAnswers } from './answers.ts';
export { type AnswersConfig, answersSchema } from './config-schema.ts';
export { type MarkedModel, type MarkRegister, openMarkRegister, readMarks } from './mark-register.ts';
export { OUTPUT_GUARDS } from './registry.ts';
export { genuine, type MarkedSample, type TheftEvidence, theftEvidence } from './theft.ts';
export { markingOf, watermarkCommitment } from './watermark.ts';
