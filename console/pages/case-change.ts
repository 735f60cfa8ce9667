import type { CaseDetail } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { AskError, tell } from '../data/ask.ts';
import { amend, touch } from '../data/query.ts';
import { said } from '../shell/toast.tsx';

/** Changes a case as it was seen: who was second is told so and sees the new one. */
export async function change(
  of: Case,
  what: string,
  body: Readonly<Record<string, unknown>>,
  words: string,
): Promise<void> {
  try {
    const path = `/api/cases/${encodeURIComponent(of.id)}`;
    const answer = await tell<Partial<Case> & { readonly case?: Case }>(`${path}/${what}`, body);
    // Known at once, so that the next act is not taken for that of somebody who saw the case before this one.
    const after = answer?.case ?? (answer?.revision === undefined ? undefined : (answer as Case));
    if (after !== undefined) amend<CaseDetail>(path, (before) => ({ ...before, case: after }));
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
