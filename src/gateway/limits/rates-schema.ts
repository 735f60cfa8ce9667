import { z } from 'zod';
import { timeSpan } from '../../store/index.ts';

/** What a limit counts by. `key`: the credential; `address`: an IPv4 address or an IPv6 network; `all`: everybody together. */
export const RATE_SUBJECTS = ['principal', 'key', 'tenant', 'address', 'all'] as const;

/** One of {@link RATE_SUBJECTS}. */
export type RateSubject = (typeof RATE_SUBJECTS)[number];

const count = z.int({ error: 'a whole number of 1 or more' }).min(1).max(1e12);

/** One limit. */
const rateLimitSchema = z
  .strictObject({
    per: z.enum(RATE_SUBJECTS).describe('What is counted by.'),
    requests: count.optional().describe('Requests in that time.'),
    samples: count.optional().describe('Samples in that time: a request with a batch of n counts n.'),
    every: z.enum(['second', 'minute', 'hour']).describe('The time.'),
  })
  .refine(({ requests, samples }) => (requests === undefined) !== (samples === undefined), {
    error: 'either requests or samples',
  });

/** Limits that hold where none are named: no single caller can take a machine of moderate size for itself. */
const DEFAULT_LIMITS: readonly z.output<typeof rateLimitSchema>[] = [
  { per: 'principal', requests: 500, every: 'second' },
  { per: 'principal', samples: 5000, every: 'second' },
  { per: 'tenant', requests: 2000, every: 'second' },
  { per: 'address', requests: 1000, every: 'second' },
  { per: 'all', requests: 20_000, every: 'second' },
];

/** Redis or Valkey, where several gateways share their limits. */
const redisSchema = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, { error: 'an address such as rediss://glacis@redis.example:6379' })
    .describe('Where Redis or Valkey is; rediss:// encrypts, and must be used unless it is on this machine.'),
  passwordFile: z.string().min(1).max(4096).optional().describe('A file that holds the password.'),
  ca: z.string().min(1).max(4096).optional().describe('PEM file of the authority that certifies it.'),
  unencrypted: z
    .boolean()
    .default(false)
    .describe('Allows redis:// to another machine, for networks that encrypt by themselves.'),
  timeout: timeSpan.default(250).describe('How long an answer may take.'),
  prefix: z
    .string()
    .regex(/^[\w.-]{1,40}$/)
    .default('glacis')
    .describe('How its keys begin; gateways with the same one share their limits.'),
});

/** `serve.rates`: how many requests and samples may come in how much time. */
export const ratesSchema = z.strictObject({
  limits: z
    .array(rateLimitSchema)
    .max(50)
    .default(() => [...DEFAULT_LIMITS])
    .describe('All that apply must have room; one that has none takes nothing from the others.'),
  ipv6Prefix: z
    .int()
    .min(32)
    .max(128)
    .default(64)
    .describe('IPv6 addresses that share this many bits count as one: whoever has one has its network.'),
  mostTracked: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(100_000)
    .describe(
      'Callers that one limit tells apart; beyond that new ones share places, so that they get less, not more.',
    ),
  redis: redisSchema.optional().describe('Shared by several gateways; without, each counts for itself.'),
  storeGone: z
    .enum(['refuse', 'alone'])
    .default('refuse')
    .describe('While Redis does not answer: refuse, or let each gateway count for itself.'),
});

/** What {@link ratesSchema} reads. */
export type RatesConfig = z.output<typeof ratesSchema>;
