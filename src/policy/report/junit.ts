import type { Decision } from '../gate/decision.ts';

/**
 * A decision as a JUnit XML report: one test case a requirement. What is not met is a failure, what is missing an error, what is
 * excepted is skipped with the reason. All texts may come from files that an attacker wrote.
 */
export function junitReport({ model, stage, at, requirements }: Decision): string {
  const count = (state: string) => requirements.filter((each) => each.state === state).length;
  const totals = `tests="${requirements.length}" failures="${count('not-met')}" errors="${count('missing')}" skipped="${count('excepted')}"`;
  const cases = requirements.map(({ id, entry, says, state, why, shownBy, exception }) => {
    const head = `    <testcase classname="${escaped(`gate.${stage}.${entry}`)}" name="${escaped(id)}" time="0">`;
    const message = escaped(`${says}: ${why}`);
    const body =
      state === 'not-met'
        ? `<failure message="${message}" type="not-met"/>`
        : state === 'missing'
          ? `<error message="${message}" type="missing"/>`
          : state === 'excepted'
            ? `<skipped message="${escaped(`${exception?.owner} until ${exception?.until}: ${exception?.reason}`)}"/>`
            : `<system-out>${escaped([why, ...shownBy.map((s) => `${s.file} ${s.digest} ${s.signer}`)].join('; '))}</system-out>`;
    return `${head}${body}</testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="glacis gate" ${totals} time="0">`,
    `  <testsuite name="${escaped(`${model.name} for ${stage}`)}" ${totals} time="0" timestamp="${at.slice(0, 19)}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Fit to stand in XML 1.0: control characters, which it cannot hold at all, become U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}
