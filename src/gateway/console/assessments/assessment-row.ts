import type { Assessment } from '../../../assess/result.ts';
import { rootDigest } from '../../../supply/sign/manifest.ts';
import type { AssessmentRow } from '../api.ts';

/** Findings and balls of a row: more than a page shows. */
const MOST = 200;

/**
 * What a list shows of an assessment: of each ball the worst case over all attacks, or, where none was concluded, the strongest attack. Attacks
 * that led to a chosen class say nothing of robustness.
 */
export function assessmentRow(
  id: string,
  { model, data, startedAt, finishedAt, results, worstCases, findings, status, towards }: Assessment,
  hasReport: boolean,
): AssessmentRow {
  const robust = new Map<string, AssessmentRow['robust'][number]>();
  const add = (
    {
      norm,
      eps,
      robustAccuracy,
      confidence,
    }: Assessment['worstCases'][number] | Assessment['results'][number],
    attacks: number,
  ): void => {
    const key = `${norm} ${eps}`;
    const before = robust.get(key);
    if (before !== undefined && before.accuracy <= robustAccuracy) return;
    const [low, high] = confidence;
    robust.set(key, { norm, eps, accuracy: robustAccuracy, low, high, attacks });
  };
  for (const each of towards ? [] : worstCases) add(each, each.attacks.length);
  const concluded = new Set(robust.keys());
  for (const each of towards ? [] : results) if (!concluded.has(`${each.norm} ${each.eps}`)) add(each, 1);
  return {
    id,
    at: Date.parse(finishedAt) || Date.parse(startedAt) || 0,
    model: model.name,
    digest: model.digest,
    root: rootOf(model.digest),
    data: data.description,
    dataDigest: data.digest,
    n: data.n,
    status,
    cleanAccuracy: results[0]?.cleanAccuracy ?? worstCases[0]?.cleanAccuracy,
    robust: [...robust.values()]
      .toSorted((a, b) => a.norm.localeCompare(b.norm) || a.eps - b.eps)
      .slice(0, MOST),
    findings: findings.slice(0, MOST).map(({ id: name, title, severity }) => ({ id: name, title, severity })),
    hasReport,
  };
}

/** What a model of this one file is called by. Undefined where the digest, which is anybody's text, is no SHA-256. */
function rootOf(digest: string): string | undefined {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
  return hex === undefined ? undefined : `sha256:${rootDigest([{ digest: hex }])}`;
}
