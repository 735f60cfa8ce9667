import type { Norm } from '../threat/norm.ts';
import { budgetsOf } from './cells.ts';
import { corruptionFindings } from './corruption/findings.ts';
import type { CorruptionResult } from './corruption/result.ts';
import { curveOf } from './curve.ts';
import { findingsFrom } from './findings.ts';
import type { Loaded } from './load.ts';
import type { Assessment } from './result.ts';
import type { CellsRun, RunState } from './run-cells.ts';
import { type Cell, resultsOf, worstCaseOf } from './summarise.ts';

/** What an assessment found, drawn from what became of each sample. */
export function conclude(
  { task, subject, bounds, labels, randomised }: Loaded,
  norm: Norm,
  cells: readonly Cell[],
  state: RunState,
  { probe, corruption }: Pick<CellsRun, 'probe'> & { readonly corruption: CorruptionResult | undefined },
): Pick<Assessment, 'results' | 'worstCases' | 'curves' | 'corruption' | 'findings'> {
  const facts = { task, classes: subject.classes, bounds, labels, clean: state.clean };
  const run = cells.map((cell, i) => ({ cell, record: state.cells[i]!.record }));
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
    worstCases,
    classes: task === 'classification' || task === 'binary' ? subject.classes : 0,
    cleanAccuracy: state.clean.done > 0 ? right / state.clean.done : 0,
    rangeWidth,
    ...(probe && { gradient: probe }),
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
    findings: [...findings, ...(corruption ? corruptionFindings(corruption, rangeWidth) : [])],
  };
}
