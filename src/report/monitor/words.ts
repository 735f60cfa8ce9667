import type { PastAnalysis } from '../../monitor/past/analyse-past.ts';
import type { PastLabelCounts } from '../../monitor/past/tell-labels.ts';
import { count, counted, percent } from '../format.ts';

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

/** That callers cannot be told apart, where that is so; nothing where every decision names one. */
export function callersOf({ decisions, unnamed }: PastAnalysis): readonly string[] {
  if (unnamed === 0) return [];
  if (unnamed < decisions)
    return [
      `${count(unnamed)} of ${count(decisions)} decisions name no caller: they are looked at as if one had made them all.`,
    ];
  return [
    'No decision names its caller, so attacks cannot be judged caller by caller: all calls are looked at as if one had made them. Alarms say what happened and when, not who did it; keys that behave as one are not found, and growth of all looks like growth of one.',
  ];
}

/** What became of true labels, and what they say of each model's accuracy; nothing where none were given. */
export function labelsOf({ labels, states }: PastAnalysis): readonly string[] {
  if (labels === undefined) return [];
  const said = states.flatMap(({ monitor, model, phase, because, parts }) => {
    const accuracy = parts.find(({ name }) => name === 'accuracy')?.score;
    const speaks = monitor === 'accuracy' && (phase === 'watching' || phase === 'alarmed');
    return speaks && accuracy !== undefined && because !== undefined
      ? [`${model}: accuracy ${percent(accuracy)} lately; ${because}.`]
      : [];
  });
  return [labelCounts(labels), ...said];
}

/** What became of true labels, in a sentence. */
export function labelCounts({ labels, unknown, twice, contradicting }: PastLabelCounts): string {
  return `${counted(labels, 'label')}: ${count(unknown)} of no decision here, ${count(twice)} came again, ${count(contradicting)} of these with something else.`;
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
