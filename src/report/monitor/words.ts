import type { PastAnalysis } from '../../monitor/past/analyse-past.ts';
import { count, counted } from '../format.ts';

/** What was found, in a sentence. */
export function headlineOf({ decisions, counts }: PastAnalysis): string {
  const of = (kind: string) => counts.reduce((sum, each) => sum + (each.kind === kind ? each.count : 0), 0);
  const [attacks, drifts, faults] = [of('attack'), of('drift'), of('fault')];
  const looked = `Among ${count(decisions)} decisions`;
  if (attacks + drifts + faults === 0) return `${looked} the monitors saw nothing to alarm about.`;
  const parts = [
    attacks > 0 && `${counted(attacks, 'alarm')} of an attack`,
    drifts > 0 && `${counted(drifts, 'alarm')} of drift`,
    faults > 0 && counted(faults, 'fault'),
  ].filter((part) => part !== false);
  return `${looked} the monitors raised ${parts.join(', ')}.`;
}

/** Monitors that saw nothing because something was missing. */
export function blindOf({ states }: PastAnalysis): readonly string[] {
  return states
    .filter(({ phase }) => phase === 'blind' || phase === 'learning')
    .map(
      ({ monitor, model, phase, because }) =>
        `${monitor} of ${model} (${phase}${because === undefined ? '' : `: ${because}`})`,
    );
}
