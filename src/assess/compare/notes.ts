import { isDeepStrictEqual } from 'node:util';
import type { Assessment, EvasionResult } from '../result.ts';
import type { Matching } from './match-runs.ts';
import type { Side } from './side.ts';

/** Findings that make a robust accuracy doubtful, and with it every comparison. */
const DOUBTS: Readonly<Record<string, string>> = {
  'evasion/gradient-masking':
    'its gradients may hide more than they show, so its robust accuracy, and with it the difference, may be overstated',
  'evasion/randomised-model':
    'it answers differently each time, so its robust accuracy, and with it the difference, may be overstated',
};

/** Runs that a note names one by one. */
const SHOWN = 6;

/** What is not the same on all sides and what else a reader should know, a sentence each. */
export function notesOf(
  sides: readonly Side[],
  labels: readonly string[],
  { matched, left }: Matching,
  paired: boolean,
): readonly string[] {
  const said = (what: string, of: (assessment: Assessment) => string) =>
    differing(
      what,
      sides.map(({ assessment }) => of(assessment)),
      labels,
    );
  return [
    ...samples(sides, labels, paired),
    ...sameModel(sides, labels),
    ...sides.flatMap(({ assessment }, i) => stopped(assessment, labels[i]!)),
    ...sides.flatMap(({ assessment: { findings } }, i) =>
      findings
        .filter(({ id }) => Object.hasOwn(DOUBTS, id))
        .map(({ id, title }) => `${labels[i]}: ${title}: ${DOUBTS[id]}.`),
    ),
    ...said('Seed', ({ seed }) => String(seed)),
    ...said('Version of Glacis', ({ environment }) => environment.glacis),
    ...said('Version of ONNX Runtime', ({ environment }) => environment.onnxruntime),
    ...said('Device', ({ environment }) => environment.device),
    ...said('What was done to the data', ({ data }) => {
      const own = data.notes.filter((note) =>
        sides.some(({ assessment }) => !assessment.data.notes.includes(note)),
      );
      return own.join('; ') || 'nothing more';
    }),
    ...matched.flatMap((runs) =>
      options(
        runs.map(({ result }) => result),
        labels,
      ),
    ),
    ...left.flatMap((runs, i) =>
      leftOut(
        runs.map(({ result }) => result),
        labels[i]!,
      ),
    ),
  ];
}

/** `Seed: 0 in A, 7 in B and C.`, or nothing where all are the same. */
function differing(what: string, values: readonly string[], labels: readonly string[]): readonly string[] {
  const groups = Map.groupBy(labels, (_, i) => values[i]!);
  if (groups.size === 1) return [];
  return [`${what}: ${[...groups].map(([value, who]) => `${value} in ${listed(who)}`).join(', ')}.`];
}

function options(results: readonly EvasionResult[], labels: readonly string[]): readonly string[] {
  const { attack, norm, eps } = results[0]!;
  const names = [...new Set(results.flatMap((each) => Object.keys(each.options)))];
  const apart = names.filter((name) =>
    results.some((each) => !isDeepStrictEqual(each.options[name], results[0]!.options[name])),
  );
  const written = (each: EvasionResult) =>
    apart.map((name) => `${name}=${JSON.stringify(each.options[name]) ?? 'nothing'}`).join(', ');
  return differing(`Options of ${attack} at ${norm} ${eps}`, results.map(written), labels);
}

function stopped({ status, statusReason }: Assessment, label: string): readonly string[] {
  if (status === 'complete') return [];
  return [
    `${label} was not finished (${statusReason ?? 'stopped early'}): attacks and samples that are missing are missing on all sides.`,
  ];
}

function sameModel(sides: readonly Side[], labels: readonly string[]): readonly string[] {
  const groups = Map.groupBy(labels, (_, i) => sides[i]!.assessment.model.digest);
  return [...groups.values()]
    .filter((who) => who.length > 1)
    .map((who) => `${listed(who)} are the same model file.`);
}

function samples(sides: readonly Side[], labels: readonly string[], paired: boolean): readonly string[] {
  if (paired) return [];
  const groups = Map.groupBy(labels, (_, i) => sides[i]!.assessment.data.digest);
  const same = groups.size === 1 ? '' : ` The data differ: ${[...groups.values()].map(listed).join('; ')}.`;
  return [
    `The samples are taken as unrelated: a difference may come from the choice of samples, and a paired comparison sees smaller ones.${same}`,
  ];
}

function leftOut(results: readonly EvasionResult[], label: string): readonly string[] {
  if (results.length === 0) return [];
  const names = results.slice(0, SHOWN).map(({ attack, norm, eps }) => `${attack} at ${norm} ${eps}`);
  const more = results.length > SHOWN ? ` and ${results.length - SHOWN} more` : '';
  return [`Left out, as not every model has it: ${names.join(', ')}${more} of ${label}.`];
}

/** `A`, `A and B`, `A, B and C`. */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
