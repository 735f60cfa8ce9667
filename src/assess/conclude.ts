import type { Norm } from '../threat/norm.ts';
import { budgetsOf } from './cells.ts';
import { corruptionFindings } from './corruption/findings.ts';
import type { CorruptionResult } from './corruption/result.ts';
import { curveOf } from './curve.ts';
import { findingsFrom } from './findings.ts';
import { generalisationFindings } from './generalisation/findings.ts';
import type { Generalisation } from './generalisation/generalisation.ts';
import type { Loaded } from './load.ts';
import { attackedOf } from './record.ts';
import type { Reliability } from './reliability/reliability.ts';
import type { Assessment, Finding } from './result.ts';
import type { RunState } from './run-cells.ts';
import type { SelfChecks } from './self-checks/run.ts';
import { type Cell, resultsOf, worstCaseOf } from './summarise.ts';
import type { Towards } from './towards.ts';

/** What was found beside the cells, and what attackers wanted where that is one class. */
export interface Extras {
  readonly towards: Towards | undefined;
  readonly corruption: CorruptionResult | undefined;
  readonly checks: SelfChecks | undefined;
  readonly reliability: Reliability | undefined;
  readonly generalisation: Generalisation | undefined;
}

/** What an assessment found, drawn from what became of each sample. */
export function conclude(
  { task, subject, bounds, labels, randomised }: Loaded,
  norm: Norm,
  cells: readonly Cell[],
  state: RunState,
  { towards, corruption, checks, reliability, generalisation }: Extras,
): Pick<
  Assessment,
  'results' | 'worstCases' | 'curves' | 'corruption' | 'reliability' | 'generalisation' | 'findings'
> {
  const facts = { task, classes: subject.classes, bounds, labels, clean: state.clean };
  const run = [
    ...cells.map((cell, i) => ({ cell, record: state.cells[i]!.record })),
    ...(checks?.further ?? []),
  ];
  const results = run.flatMap(({ cell, record }) => resultsOf(facts, cell, record));
  const worstCases = budgetsOf(cells).flatMap(({ measure, eps }) => {
    const group = run.filter(({ cell }) => cell.measure === measure && cell.radii.includes(eps));
    return worstCaseOf(facts, eps, group) ?? [];
  });
  const curve = curveOf(facts, norm, run);
  const right = state.clean.correct.reduce((sum, one) => sum + one, 0);
  const rangeWidth = bounds[1] - bounds[0];
  const findings = findingsFrom({
    results,
    ...(towards !== undefined && { towards: { choice: `${towards}`, attacked: attackedOf(state.clean) } }),
    worstCases,
    classes: task === 'classification' || task === 'binary' ? subject.classes : 0,
    cleanAccuracy: state.clean.done > 0 ? right / state.clean.done : 0,
    reliability,
    randomised,
    refused: run.flatMap(({ cell, record: { refused } }) =>
      refused > 0 ? [{ attack: cell.plan.attack.id, eps: cell.eps, count: refused }] : [],
    ),
  });
  return {
    results,
    worstCases,
    ...(curve && { curves: [curve] }),
    ...(corruption && { corruption }),
    ...(reliability && { reliability }),
    ...(generalisation && { generalisation }),
    findings: unique([
      ...(checks?.findings ?? []),
      ...findings,
      ...(corruption ? corruptionFindings(corruption, rangeWidth) : []),
      ...generalisationFindings(generalisation),
    ]),
  };
}

/** Each finding once: the first of an id, which looked closer. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.toReversed().map((finding) => [finding.id, finding])).values()].toReversed();
}
