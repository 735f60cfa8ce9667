import { z } from 'zod';
import type { MonitorKind } from '../monitor.ts';

/** Counts; says an alarm about who calls itself `eve`; throws at `bomb`, and where nobody catches it at `loose`; ends its thread at `crash`, and stands still for ever at `still`. */
const counting: MonitorKind<{ readonly step: number }> = {
  name: 'counting',
  about: 'Counts.',
  options: z.strictObject({ step: z.number().default(1) }),
  make({ step }, { model, version, digest, remembered, freshId }) {
    let count = remembered === undefined ? 0 : JSON.parse(Buffer.from(remembered).toString('utf8')).count;
    return {
      name: 'counting',
      see(sightings) {
        count += step * sightings.length;
        return sightings
          .filter(({ principal }) => principal === 'eve')
          .map(
            ({ at, id }) =>
              ({
                ...{ id: freshId(), at, monitor: 'counting', kind: 'attack', severity: 'high' },
                ...{
                  model,
                  version,
                  digest,
                  principals: ['eve'],
                  subject: 'eve',
                  title: 'eve',
                  why: 'she is there',
                },
                ...{
                  score: 1,
                  threshold: 1,
                  first: at,
                  last: at,
                  queries: 1,
                  decisions: [id],
                  atlas: [],
                  figures: {},
                },
              }) as const,
          );
      },
      state: () => ({
        ...{ monitor: 'counting', model, phase: 'watching', score: count, threshold: 1000, series: [] },
        parts: [{ name: 'ann', score: 999 }],
      }),
      snapshot: () => Buffer.from(JSON.stringify({ count })),
    };
  },
};

const fragile: MonitorKind<object> = {
  name: 'fragile',
  about: 'Breaks.',
  options: z.looseObject({}),
  make: (_, { model }) => ({
    name: 'fragile',
    see(sightings) {
      if (sightings.some(({ principal }) => principal === 'crash')) process.exit(7);
      if (sightings.some(({ principal }) => principal === 'bomb')) throw new Error('boom');
      if (sightings.some(({ principal }) => principal === 'loose'))
        setImmediate(() => {
          throw new Error('boom outside');
        });
      if (sightings.some(({ principal }) => principal === 'still'))
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return [];
    },
    state: () => ({
      monitor: 'fragile',
      model,
      phase: 'watching',
      score: 0,
      threshold: 1,
      series: [],
      parts: [],
    }),
    snapshot: () => new Uint8Array(0),
  }),
};

export const KINDS = [counting, fragile];
