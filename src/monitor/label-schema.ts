import { z } from 'zod';

/** Greatest class, and greatest place of a sample in its batch. */
const MOST = 1_000_000;

const whole = { error: `a whole number from 0 to ${MOST}` };

/** What is told of a true label, wherever it is told: the decision, which sample of its batch, and the class that was right. Messages say what was expected. */
export const labelSchema = z.strictObject({
  decision: z.string().regex(/^[0-9a-f]{32}$/, { error: 'the id of a decision' }),
  sample: z.int(whole).min(0, whole).max(MOST, whole).default(0),
  label: z.int(whole).min(0, whole).max(MOST, whole),
});
