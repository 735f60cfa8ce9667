/** Training as one graph a step. */
export { ADAM_DEFAULTS, type AdamOptions } from './adam.ts';
export { type ConvNetOptions, convNet } from './recipes.ts';
export type { LabelledSamples } from './samples.ts';
export { type Epoch, type Trained, type TrainOptions, train } from './trainer.ts';
