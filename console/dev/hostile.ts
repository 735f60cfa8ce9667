/** Fields that pages go by and that no caller, operator or model can choose: words of closed sets, ids, cursors, tokens, and what is signed. */
const GONE_BY: ReadonlySet<string> = new Set([
  ...['id', 'case', 'order', 'decision', 'entry', 'next', 'csrf', 'start', 'receipt', 'trust', 'leaf'],
  ...[
    'kind',
    'state',
    'status',
    'phase',
    'act',
    'action',
    'measure',
    'verdict',
    'outcome',
    'effect',
    'how',
    'per',
  ],
  ...['severity', 'least', 'level', 'detail', 'step', 'method', 'circuit', 'access', 'keep', 'gives', 'type'],
  ...['may', 'roles', 'role', 'norm', 'needs', 'seeks', 'layout', 'format', 'datatype'],
  ...['check', 'stage', 'every', 'attacks', 'side'],
]);

/** Texts that are no names: times, digests, addresses, and what is encoded. */
const NO_NAME =
  /^(\/|https?:|data:|[a-z0-9]+:[0-9a-f]{32,}|\d{4}-\d\d-\d\dT|[0-9a-f]{16,}$|[A-Za-z0-9+/=_-]{40,}$)/;

/** An answer with `behind` behind every text in it that somebody else than the gateway may have chosen, in whatever field it stands. Keys stay. */
export function withBehind(answer: unknown, behind: string): unknown {
  if (typeof answer === 'string') return answer === '' || NO_NAME.test(answer) ? answer : answer + behind;
  if (Array.isArray(answer)) return answer.map((each: unknown) => withBehind(each, behind));
  if (typeof answer !== 'object' || answer === null) return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      key,
      GONE_BY.has(key) ? value : withBehind(value as unknown, behind),
    ]),
  );
}
