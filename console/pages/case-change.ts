import type { Case } from '../../src/incident/case.ts';
import { AskError, tell } from '../data/ask.ts';
import { touch } from '../data/query.ts';
import { said } from '../shell/toast.tsx';

/** Changes a case as it was seen: who was second is told so and sees the new one. */
export async function change(
  of: Case,
  what: string,
  body: Readonly<Record<string, unknown>>,
  words: string,
): Promise<void> {
  try {
    await tell(`/api/cases/${encodeURIComponent(of.id)}/${what}`, body);
    said(words);
  } catch (thrown) {
    if (thrown instanceof AskError && thrown.status === 409)
      throw new AskError(
        409,
        'Somebody else changed this case a moment ago. It is shown as it is now: look again, then decide.',
      );
    throw thrown;
  } finally {
    touch('/api/cases', '/api/overview', '/api/orders');
  }
}
