import { z } from 'zod';
import { alertsSchema } from '../../incident/alerts/config-schema.ts';
import { incidentsSchema } from '../../incident/config-schema.ts';
import { monitorsSchema } from '../../monitor/config-schema.ts';
import { retentionSchema, storeSchema } from '../../store/index.ts';
import { backendSchema } from '../backend/config-schema.ts';
import { consoleSchema } from '../console/config-schema.ts';
import { containSchema } from '../contain/config-schema.ts';
import { guardsSchema } from '../guards/config-schema.ts';
import { identitySchema, rightsSchema } from '../identity/config-schema.ts';
import { budgetsSchema, ratesSchema } from '../limits/index.ts';
import { listenSchema } from '../protocol/index.ts';
import { recordSchema } from '../record/config-schema.ts';
import { answersSchema } from '../respond/index.ts';
import { timingSchema } from '../timing/index.ts';
import { verifySchema } from '../verify/index.ts';

const port = z.int().min(0).max(65_535);
const path = z.string().min(1).max(4096);

const managementSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(255)
      .default('127.0.0.1')
      .describe('The address; this machine alone unless given. Any other needs TLS.'),
    port: port.default(8082).describe('The port; 0 takes a free one.'),
    socket: path.optional().describe('A Unix socket in place of host and port.'),
    tls: z
      .strictObject({
        cert: path.describe('PEM file of the certificate.'),
        key: path.describe('PEM file of its private key.'),
        clientCa: path.optional().describe('PEM file of the authorities of operators’ certificates.'),
      })
      .optional()
      .describe('TLS.'),
  })
  .refine(({ host, socket, tls }) => socket !== undefined || tls !== undefined || isLoopback(host), {
    error: 'tls for a host that others can reach: keys would travel in the clear',
  })
  .describe('The management side: a server of its own, with rights of its own.');

/** What holds for a model in place of what holds for all. */
const overrideSchema = z.strictObject({
  guards: guardsSchema.optional(),
  answers: answersSchema.optional(),
  verify: verifySchema.optional(),
});

/** `serve:` of glacis.yaml: one section a part; whatever is left out is the careful choice. */
export const serveSchema = z
  .strictObject({
    listen: listenSchema.prefault({}),
    management: managementSchema.prefault({}),
    ...backendSchema.shape,
    store: storeSchema,
    retention: retentionSchema.prefault({}).describe('How long the store keeps what nothing needs any more.'),
    log: recordSchema.prefault({}),
    console: consoleSchema,
    contain: containSchema.prefault({}),
    monitors: monitorsSchema.prefault({}),
    incidents: incidentsSchema.prefault({}).describe('How alarms become cases, and what is done about them.'),
    alerts: alertsSchema.describe('Who is told of cases, and how.'),
    identity: identitySchema,
    rights: rightsSchema,
    rates: ratesSchema.prefault({}),
    budgets: budgetsSchema.prefault({}),
    guards: guardsSchema.prefault({}).describe('Guards of all models that have none of their own.'),
    answers: answersSchema.prefault({}),
    verify: verifySchema.optional(),
    timing: timingSchema.prefault({}),
    only: z
      .record(z.string(), overrideSchema)
      .default({})
      .describe('By model: guards, answers and verification in place of those for all.'),
    mostSamples: z.int().min(1).max(1_000_000).default(1024).describe('Most samples in a request.'),
    mostBytes: z
      .int()
      .min(1024)
      .max(2 ** 31)
      .default(64 << 20)
      .describe('Most bytes of a request, after inflating.'),
    timeout: z
      .int()
      .min(1)
      .max(600_000)
      .default(10_000)
      .describe('Milliseconds after which a request that has not begun to run is refused.'),
  })
  .describe('How models are served.');

/** What {@link serveSchema} reads. */
export type ServeConfig = z.output<typeof serveSchema>;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
