import { z } from 'zod';
import { ALARM_SEVERITIES } from '../../monitor/alarm.ts';
import { timeSpan } from '../../store/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const path = z.string().min(1).max(4096);
const between = (least: number, most: number, words: string) =>
  timeSpan.refine((span) => span >= least && span <= most, { error: `a length of time ${words}` });

const secret = z
  .union([
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/) }),
    z.strictObject({ file: path }),
  ])
  .describe('A variable of the environment, or a file, that holds it.');

/** Where a secret is. */
export type SecretPlace = z.output<typeof secret>;

const address = z
  .string()
  .max(2000)
  .refine((text) => URL.canParse(text), { error: 'an address such as https://hooks.example.org/glacis' });
const url = z
  .union([address, secret])
  .describe('Where to. An address that is a secret itself is named as one.');

const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, { error: 'a time of day such as 22:00' });
const quiet = z
  .strictObject({
    from: clock,
    to: clock,
    zone: z
      .string()
      .max(64)
      .refine(isZone, { error: 'a time zone such as Europe/Berlin' })
      .default('UTC')
      .describe('The time zone.'),
    days: z
      .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
      .min(1)
      .max(7)
      .optional()
      .describe('Days on which they begin; every day without.'),
  })
  .refine(({ from, to }) => from !== to, { error: 'another end than the beginning' })
  .describe('Hours in which nothing but what is critical is sent; the rest waits for their end.');

const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, { error: 'a name of letters, digits, ".", "_" and "-"' }),
  least: z.enum(ALARM_SEVERITIES).default('medium').describe('What it is told of: this severity and worse.'),
  quiet: quiet.optional(),
  bundle: between(1000, DAY, 'from 1 second to 1 day')
    .default(5 * MINUTE)
    .describe('News about a case it was told of wait so long, and go together.'),
  mostAnHour: z
    .int()
    .min(1)
    .max(10_000)
    .default(60)
    .describe('Messages in an hour; what is more waits, and goes together.'),
  retryFor: between(MINUTE, 30 * DAY, 'from 1 minute to 30 days')
    .default(3 * DAY)
    .describe('A message is tried so long; then it is kept and shown as given up.'),
};
const http = {
  ...common,
  ca: path.optional().describe('PEM file of the authority of its certificate; the public ones without.'),
  privateNetwork: z
    .boolean()
    .default(false)
    .describe('Whether it may be at an address that is not on the internet.'),
  insecureLoopback: z.boolean().default(false).describe('Whether it may be on this machine, without TLS.'),
};

const keys = z
  .array(secret)
  .min(1)
  .max(4)
  .describe('Keys that messages are signed with: the new one first while one takes the place of another.');
const token = secret.optional().describe('Sent as a bearer token, where the receiver wants one.');

const channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), ...http, url, keys }),
  z.strictObject({ kind: z.literal('slack'), ...http, url }),
  z.strictObject({
    kind: z.literal('pagerduty'),
    ...http,
    url: address.default('https://events.pagerduty.com/v2/enqueue').describe('Where to.'),
    routingKey: secret,
  }),
  z.strictObject({ kind: z.literal('cloudevents'), ...http, url, token }),
  z.strictObject({ kind: z.literal('ocsf'), ...http, url, token }),
  z.strictObject({
    kind: z.literal('email'),
    ...common,
    host: z.string().min(1).max(255).describe('The mail server.'),
    port: z.int().min(1).max(65_535).default(587),
    tls: z
      .enum(['starttls', 'always', 'none'])
      .default('starttls')
      .describe('How the way there is secured; none only on this machine.'),
    ca: http.ca,
    privateNetwork: http.privateNetwork,
    insecureLoopback: http.insecureLoopback,
    user: z.string().min(1).max(256).optional(),
    password: secret.optional(),
    from: z.email().max(254),
    to: z.array(z.email().max(254)).min(1).max(50),
  }),
]);

/** `serve.alerts`: who is told of cases, and how. */
export const alertsSchema = z
  .strictObject({
    channels: z
      .array(channel)
      .max(50)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, { error: 'each name once' })
      .default([])
      .describe('Receivers. Each is told by itself: one that is down holds up no other.'),
  })
  .prefault({});

/** What {@link alertsSchema} reads. */
export type AlertsConfig = z.output<typeof alertsSchema>;

/** One receiver. */
export type ChannelConfig = AlertsConfig['channels'][number];

/** Quiet hours of one. */
export type QuietHours = z.output<typeof quiet>;

function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
