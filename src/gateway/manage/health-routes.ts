import type { Metrics } from '../observe/metrics.ts';
import { type ManagementRoute, route } from './route.ts';

/** One part of the service and whether it is well. */
export interface Health {
  readonly part: string;
  readonly ok: boolean;
  /** What is wrong, for the operator. */
  readonly because?: string | undefined;
}

/** Whether the service is well, and its metrics. */
export function healthRoutes(health: () => readonly Health[], metrics: Metrics): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/health/live',
      about: 'Whether the process answers. Nobody need sign in for this.',
      action: undefined,
      run: () => ({ json: { live: true } }),
    }),
    route({
      method: 'GET',
      path: '/health',
      about: 'Whether each part is well; 503 when one is not.',
      action: 'health.read',
      run() {
        const parts = health();
        const ok = parts.every((part) => part.ok);
        return { json: { ok, parts }, status: ok ? 200 : 503 };
      },
    }),
    route({
      method: 'GET',
      path: '/metrics',
      about: 'Metrics as Prometheus reads them.',
      action: 'metrics.read',
      async run() {
        const { text, type } = await metrics.page();
        return { bytes: text, type };
      },
    }),
  ];
}
