import { z } from 'zod';
import { THREAT_NORMS } from '../../threat/threat-norms.ts';
import type { AttackRun, Claim, Measured, Reading } from './claim.ts';
import { MOST_ENTRIES, time } from './measure-schemas.ts';

const share = z.number().min(0).max(1);
const figures = {
  norm: z.enum(THREAT_NORMS),
  eps: z.number().min(0),
  n: z.int().min(1),
  cleanAccuracy: share,
  robustAccuracy: share,
  confidence: z.tuple([share, share]),
};

/** The fields of `glacis.assessment/1` that requirements look at. */
const assessment = z.object({
  status: z.enum(['complete', 'partial']),
  statusReason: z.string().optional(),
  model: z.object({ digest: z.string() }),
  data: z.object({ digest: z.string() }),
  finishedAt: time,
  results: z
    .array(z.object({ attack: z.string(), options: z.record(z.string(), z.unknown()), ...figures }))
    .max(MOST_ENTRIES),
  worstCases: z.array(z.object({ attacks: z.array(z.string()).max(500), ...figures })).max(MOST_ENTRIES),
  findings: z.array(z.object({ severity: z.string() })).max(MOST_ENTRIES),
  towards: z.object({ choice: z.string() }).optional(),
});

/**
 * What an assessment says. A worst case that is better than one of its attacks on as many samples, or better than no attack at all, would
 * be made up: such a document says nothing. Findings of a partial assessment are not all findings, so it makes no claim about them. One
 * whose attacks led to a chosen class says nothing of robustness: any other wrong answer would be easier to have.
 */
export function readAssessment(document: unknown): Reading {
  const parsed = assessment.parse(document);
  const { status, statusReason, model, data, finishedAt, results, worstCases, findings, towards } = parsed;
  const claims: Claim[] = [];
  for (const worst of worstCases) {
    const of = results.filter(
      (r) => r.norm === worst.norm && r.eps === worst.eps && worst.attacks.includes(r.attack),
    );
    const better = of.find((r) => r.n === worst.n && worst.robustAccuracy > r.robustAccuracy + 1e-9);
    const [low, high] = worst.confidence;
    if (
      better ||
      worst.robustAccuracy > worst.cleanAccuracy + 1e-9 ||
      !(low <= worst.robustAccuracy + 1e-9 && worst.robustAccuracy <= high + 1e-9)
    )
      throw new Error(`its worst case at ${worst.norm} ${worst.eps} contradicts its own figures`);
    if (towards) continue;
    const attacks: AttackRun[] = of
      .filter((r) => r.n >= worst.n)
      .map(({ attack, options }) => ({ attack, options }));
    claims.push({
      kind: 'robustAccuracy',
      norm: worst.norm,
      eps: worst.eps,
      accuracy: { value: worst.robustAccuracy, confidence: worst.confidence },
      samples: worst.n,
      attacks,
      data: data.digest,
    });
  }
  const largest = [...worstCases, ...results].toSorted((a, b) => b.n - a.n)[0];
  if (largest)
    claims.push({
      kind: 'cleanAccuracy',
      accuracy: hoeffding(largest.cleanAccuracy, largest.n),
      samples: largest.n,
      data: data.digest,
    });
  if (status === 'complete' && !towards)
    claims.push({ kind: 'findings', severities: findings.map((f) => f.severity) });
  return {
    claims,
    time: finishedAt,
    looked: model.digest,
    notes: [
      ...(status === 'partial'
        ? [`the assessment is partial${statusReason ? `: ${statusReason}` : ''}`]
        : []),
      ...(towards ? ['its attacks led to a chosen class, which says nothing of robustness'] : []),
    ],
  };
}

/**
 * A 95 % interval for a share of `n` samples by Hoeffding's inequality (1963): `value ± √(ln(2/0.05) / 2n)`. Assessments state an exact
 * interval for robust accuracy only; this one is wider than the exact one, never narrower.
 */
function hoeffding(value: number, n: number): Measured {
  const reach = Math.sqrt(Math.log(2 / 0.05) / (2 * n));
  return { value, confidence: [Math.max(0, value - reach), Math.min(1, value + reach)] };
}
