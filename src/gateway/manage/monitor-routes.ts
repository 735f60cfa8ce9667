import { z } from 'zod';
import type { Monitors } from '../../monitor/hub/open-monitors.ts';
import { labelSchema } from '../../monitor/label-schema.ts';
import type { ClassNames } from '../backend/class-names.ts';
import type { Monitors as MonitorsView } from '../console/api.ts';
import { type ManagementRoute, route } from './route.ts';

/** What the routes of the monitors stand on. */
export interface MonitorParts {
  readonly monitors: Monitors;
  /** Names of a model's classes, where the configuration has them. */
  readonly classNames: ClassNames;
  readonly now: () => number;
}

const MOST_LABELS = 1000;

const labels = z.strictObject({
  labels: z.array(labelSchema).min(1).max(MOST_LABELS),
});

/** How the monitors stand, and what really was: labels that somebody learns after the decision. */
export function monitorRoutes({ monitors, classNames, now }: MonitorParts): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/monitors',
      about: 'How the monitors stand, and the inputs that were drawn last; ?model=.',
      action: 'monitors.read',
      async run({ query: { model }, may }) {
        const [states, samples] = await Promise.all([monitors.states(model), monitors.samples(model)]);
        const view: MonitorsView = {
          states,
          // A sketch is part of what a caller sent.
          samples: may('log.payload') ? samples : [],
          classNames: model === undefined ? undefined : await classNames(model),
        };
        return { json: { ...view, counts: monitors.counts() } };
      },
    }),
    route<z.output<typeof labels>>({
      method: 'POST',
      path: '/api/labels',
      about: `What the right answers were: {labels: [{decision, sample, label}]}, ${MOST_LABELS} at most; late, twice or of unknown decisions.`,
      action: 'labels.add',
      body: labels,
      run({ body }) {
        monitors.learn(body.labels.map((each) => ({ ...each, at: now() })));
        return { json: { taken: body.labels.length } };
      },
    }),
  ];
}
