import { boundedStates, outcomeOf, type Simulation, type WhatIfChange } from './what-if.ts';

const MOST = 200_000;

/**
 * Another rate, by the generic cell rate algorithm (ITU-T I.371), as the gateway has it: `requests` (or `samples`) may come at once, and then so many in each span. A request that is
 * refused takes nothing; one of more samples than may ever come at once is too large. Memory: 200,000 callers.
 */
export function rateChange({
  per,
  requests,
  samples,
  every,
}: Extract<WhatIfChange, { kind: 'rate' }>): Simulation {
  const limit = requests ?? samples ?? 1;
  const expected = boundedStates<number>(MOST);
  let time = Number.NEGATIVE_INFINITY;
  let freed = 0;
  return {
    judge(decision) {
      const name = per === 'all' ? '' : decision[per];
      if (name === undefined) return undefined;
      const cost = samples === undefined ? 1 : Math.max(1, decision.n);
      if (cost > limit) return 'too-large';
      time = Math.max(time, decision.at);
      const next = Math.max(expected.get(name) ?? 0, time) + (cost * every) / limit;
      if (next - every - time > 1e-6) return 'throttled';
      expected.set(name, next);
      if (decision.outcome !== 'throttled') return outcomeOf(decision);
      freed++;
      return 'answered';
    },
    caveats: () => [
      'Who is throttled comes again, or more slowly: calls that would not have come at all cannot be told apart.',
      ...(per === 'address'
        ? ['IPv6 addresses are counted one by one here; the gateway counts networks.']
        : []),
      ...(freed > 0
        ? [
            `${freed} calls count as answered that some rate refused: which of the limits did is not in the log.`,
          ]
        : []),
      ...(expected.forgotten() > 0
        ? [`More than ${MOST} callers: ${expected.forgotten()} that were idle the longest began anew.`]
        : []),
    ],
  };
}
