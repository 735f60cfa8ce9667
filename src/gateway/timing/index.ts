/** When answers leave and how long they are. */
export { timingSchema } from './config-schema.ts';
export { padBody } from './pad-body.ts';
export { paddingField } from './pad-message.ts';
export { openTiming } from './schedule.ts';
