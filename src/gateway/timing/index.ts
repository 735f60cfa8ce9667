/** When answers leave and how long they are. */
export { type TimingConfig, timingSchema } from './config-schema.ts';
export { padBody } from './pad-body.ts';
export { paddingField } from './pad-message.ts';
export { openTiming, type Timing, type TimingFigures, type TimingSurroundings } from './schedule.ts';
