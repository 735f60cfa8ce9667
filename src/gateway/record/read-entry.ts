import { z } from 'zod';
import { DECISION_SCHEMA, EVENT_SCHEMA } from './entry-text.ts';

const text = z.string().max(8192);
const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const who = z.object({
  address: text.optional(),
  credential: text.optional(),
  principal: text.optional(),
  tenant: text.optional(),
});

const decisionEntry = z.object({
  schema: z.literal(DECISION_SCHEMA),
  subject: text,
  who: z.union([text, who]),
  commitments: z.object({ input: hex64, output: hex64.optional() }).optional(),
  payload: z.object({ at: text, bytes: z.int().min(0), digest: hex64 }).optional(),
  // Loose: what a later version adds, and what is only shown, stays.
  decision: z.looseObject({
    id: z.string().regex(/^[0-9a-f]{32}$/),
    at: z.number(),
    model: text,
    version: text.optional(),
    digest: text.optional(),
    outcome: text,
    because: text.optional(),
    detail: text.optional(),
    n: z.number(),
    bucket: z.number().nullable(),
    guards: z.array(
      z.object({ guard: text, action: text, score: z.number().nullable(), because: text.optional() }),
    ),
    divergence: z.number().nullable().optional(),
    explained: text.optional(),
  }),
});

const eventEntry = z.object({
  schema: z.literal(EVENT_SCHEMA),
  event: z.object({ at: z.number(), by: text, event: text, about: z.record(z.string(), z.unknown()) }),
});

/** Who a decision was for, as far as it can be read. */
export type Who = z.infer<typeof who>;
/** An entry about a decision. */
export type DecisionEntry = z.infer<typeof decisionEntry>;
/** An entry about anything else. */
export type EventEntry = z.infer<typeof eventEntry>;

const shape = z.discriminatedUnion('schema', [decisionEntry, eventEntry]);

/** An entry of the log of decisions; undefined for bytes that are none. `bytes` are the log's, and what is in them may be a caller's. */
export function readEntry(bytes: Uint8Array): DecisionEntry | EventEntry | undefined {
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
