import { z } from 'zod';
import { GUARDS } from '../guards/registry.ts';
import { BUDGET_SCOPES } from '../limits/budgets-schema.ts';
import { ratesSchema } from '../limits/index.ts';

const name = z.string().min(1).max(200);
/** A name that stands for itself: in budgets, * and ? stand for others. */
const exact = name.regex(/^[^*?\p{Cc}]+$/u, { error: 'a name without *, ? and control characters' });

const because = z.string().min(1).max(1000).describe('Why, for the log.');

/** What can be changed while the server runs, each on top of the file. */
export const changeSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('guard'),
      model: name.optional().describe('The model; all unless given.'),
      guard: z.enum(GUARDS.map(({ kind }) => kind.name) as [string, ...string[]]),
      options: z
        .union([z.literal('off'), z.record(z.string(), z.unknown())])
        .describe('Its options in place of those of the file, or off.'),
      because,
    })
    .describe("A guard's options."),
  z
    .strictObject({
      kind: z.literal('budget'),
      per: z.enum(BUDGET_SCOPES),
      who: exact.optional().describe('The principal or tenant; not for `per: model`.'),
      models: z.array(name).min(1).max(50).optional().describe('As in the file unless given.'),
      queries: z.int().min(1).max(1e15),
      because,
    })
    .refine(({ per, who }) => (per === 'model') === (who === undefined), {
      error: 'a who for principals and tenants, and none for models',
    })
    .describe('More or less budget for one principal, tenant or model.'),
  z
    .strictObject({ kind: z.literal('rates'), limits: ratesSchema.shape.limits, because })
    .describe('Rate limits in place of those of the file.'),
]);

/** {@link changeSchema} as it is read. */
export type Change = z.output<typeof changeSchema>;

/** A change that somebody made. */
export interface MadeChange {
  readonly id: string;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly change: Change;
}

/** What a change is about: a later one about the same takes its place. */
export function subjectOf(change: Change): string {
  switch (change.kind) {
    case 'guard':
      return JSON.stringify(['guard', change.model ?? null, change.guard]);
    case 'budget':
      return JSON.stringify(['budget', change.per, change.who ?? null, change.models ?? null]);
    case 'rates':
      return JSON.stringify(['rates']);
  }
}
