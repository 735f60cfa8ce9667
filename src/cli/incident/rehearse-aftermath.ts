import { writeFile } from 'node:fs/promises';
import type { CaseDetail, Impact, Page } from '../../gateway/console/api.ts';
import { parseTrustFile } from '../../gateway/record/log-folder.ts';
import type { Case } from '../../incident/case.ts';
import { verifyEvidence } from '../../incident/evidence/verify-evidence.ts';
import type { MadeBundle } from '../../incident/investigations.ts';
import type { Order } from '../../incident/order.ts';
import { expectBytes } from './desk.ts';
import { type Stage, until } from './rehearsal-stage.ts';
import type { ContainedAttack } from './rehearse-attack.ts';

/** Which decisions of the new version would the one before have made otherwise? */
export async function rehearseImpact(stage: Stage, { id, begun, queries }: ContainedAttack): Promise<void> {
  const { signal, get, post, must, done } = stage;
  const scope = { model: 'signs', version: '2', from: begun };
  const { id: search } = await post<Impact>(`/api/cases/${id}/impact`, { scope, against: '1' });
  const impact = await until(signal, async () => {
    const now = await get<Impact>(`/api/impacts/${search}`);
    return now.state === 'running' ? undefined : now;
  });
  must('impact', impact?.state === 'done', impact?.because ?? 'expected it to end');
  must(
    'impact',
    impact!.affected >= queries && impact!.replayed > 0,
    `expected ${queries} decisions and replays, got ${impact!.affected} and ${impact!.replayed}`,
  );
  done(
    'impact',
    `${impact!.affected} decisions of version 2 since the attack began, ${impact!.replayed} replayed on version 1, ${impact!.different} would have been different`,
  );
}

/** The version before comes back: one person asks, cannot approve it with another key, and a second one does. */
export async function rehearseRollback(stage: Stage, { id }: ContainedAttack): Promise<void> {
  const { second, sameAgain, get, post, must, done } = stage;
  const back = { wish: { target: { model: 'signs' }, because: 'drill', measure: 'rollback' } };
  const { asked: act } = await post<{ readonly asked?: string }>(`/api/cases/${id}/act`, back);
  must('rollback', act !== undefined, 'expected it to wait for a second person');
  const own = await sameAgain.call('POST', `/api/cases/${id}/approve`, { act });
  must(
    'rollback',
    own.status >= 400 && (await inService(get)) === '2',
    'expected nobody to approve their own act, with another key either',
  );
  await post(`/api/cases/${id}/approve`, { act }, second);
  must('rollback', (await inService(get)) === '1', 'expected version 1 in service');
  done(
    'rollback',
    'version 1 is in service again: ann asked, could not approve with another key of hers, bob approved',
  );
}

/** What the case holds is packed, and checked without the server. */
export async function rehearseEvidence(stage: Stage, { id }: ContainedAttack): Promise<void> {
  const { desk, post, must, done, keepAt } = stage;
  const made = await post<MadeBundle>(`/api/cases/${id}/bundle`, {});
  const bytes = await expectBytes(desk, 'GET', `/api/cases/${id}/bundle`);
  if (keepAt !== undefined) await writeFile(keepAt, bytes);
  const trust = parseTrustFile(stage.trust, 'log.trust.json');
  const verdict = verifyEvidence(bytes, trust);
  const wrong = verdict.checks.find(({ ok }) => !ok);
  must('evidence', verdict.ok, wrong ? `${wrong.file}: ${wrong.detail}` : 'expected a bundle that verifies');
  const forged = Buffer.from(bytes);
  forged[forged.length >> 1]! ^= 1;
  must('evidence', !verifyEvidence(forged, trust).ok, 'expected one changed byte to be found');
  done(
    'evidence',
    `${made.bytes} bytes, ${verdict.proven.events} events and ${verdict.proven.decisions} decisions proven offline by the log's signed state of ${verdict.log?.entries} entries; one changed byte is found`,
  );
}

/** Every measure ends, everything is as it was, and the case is closed. */
export async function rehearseLifting(stage: Stage, { id, attacker }: ContainedAttack): Promise<void> {
  const { signal, get, post, must, done, hearsScores } = stage;
  let ended = 0;
  // An alarm about what was asked before may come only now, and act once more.
  const isLifted = await until(signal, async () => {
    const { rows } = await get<Page<Order>>(`/api/orders?active=true&case=${id}`);
    for (const each of rows) await post(`/api/cases/${id}/lift`, { order: each.id });
    ended += rows.length;
    return rows.length === 0 && (await hearsScores(attacker)) ? true : undefined;
  });
  must('all lifted', isLifted === true, 'expected no measure in force, and everybody answered as before');
  must(
    'all lifted',
    (await inService(get)) === '2',
    'expected the version that was rolled back in service again',
  );
  const { case: last } = await get<CaseDetail>(`/api/cases/${id}`);
  const closed = await post<Case>(`/api/cases/${id}/state`, {
    state: 'closed',
    verdict: 'attack',
    revision: last.revision,
  });
  must('all lifted', closed.state === 'closed', 'expected a closed case');
  done('all lifted', `${ended} measures ended, everything is as it was, the case is closed`);
}

async function inService(get: <T>(path: string) => Promise<T>): Promise<string | undefined> {
  const { models } = await get<{
    readonly models: readonly { readonly model: string; readonly use: string }[];
  }>('/api/models');
  return models.find(({ model }) => model === 'signs')?.use;
}
