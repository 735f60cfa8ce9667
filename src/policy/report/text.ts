import type { Answer, Decision, State } from '../gate/decision.ts';
import type { NextStep } from './next-steps.ts';

const WORDS: Readonly<Record<State, string>> = {
  met: 'met',
  'not-met': 'NOT MET',
  missing: 'MISSING',
  excepted: 'excepted',
};

/** Breaks a text into lines that fit beside `indent` columns. */
export type Wrap = (text: string, indent: number) => readonly string[];

/**
 * A decision for people: each requirement with its state, why and what shows it, then what to run for those that are open. Texts may come
 * from files that an attacker wrote: whoever prints this takes control characters out. Commands are never broken.
 */
export function gateText(
  { model, stage, decision, requirements, ignored }: Decision,
  next: readonly NextStep[],
  wrap: Wrap = (text) => [text],
): string {
  const wide = Math.max(...requirements.map(({ id }) => id.length));
  const met = requirements.filter(({ state }) => state === 'met').length;
  return [
    `${decision === 'let-through' ? 'LET THROUGH' : 'REFUSED'}  ${model.name} for ${stage}: ${met} of ${requirements.length} requirements met`,
    ...model.digests.map((digest) => `  ${digest}`),
    '',
    ...requirements.flatMap((answer) => linesOf(answer, wide, wrap)),
    ...(ignored.length > 0
      ? ['', 'Counted for nothing', ...ignored.map(({ file, why }) => `  ${file}: ${why}`)]
      : []),
    ...(next.length > 0 ? ['', 'What to run next', ...next.flatMap(stepLines)] : []),
    '',
  ].join('\n');
}

function linesOf(answer: Answer, wide: number, wrap: Wrap): readonly string[] {
  const { id, state, says, why, shownBy, rejected, exception } = answer;
  const indent = wide + 14;
  const head = `  ${WORDS[state].padEnd(8)}  ${id.padEnd(wide)}  `;
  const below = [
    why,
    ...shownBy.map((s) => `shown by ${s.file}, ${s.signer}${s.time ? `, ${s.time}` : ''}`),
    ...(state === 'met' ? [] : rejected.slice(1).map(({ file, why: each }) => `${file}: ${each}`)),
    ...(exception && state === 'excepted'
      ? [`excepted by ${exception.owner} until ${exception.until}: ${exception.reason}`]
      : []),
  ];
  const texts = [says, ...below].flatMap((text) => wrap(text, indent));
  return texts.map((text, i) => (i === 0 ? head : ' '.repeat(indent)) + text);
}

function stepLines({ id, commands, hint }: NextStep): readonly string[] {
  return [
    `  # ${id}${hint ? `: ${hint}` : ''}`,
    ...(commands.length > 0 ? [`  ${commands.join(' && \\\n    ')}`] : []),
  ];
}
