import { boundedStates, outcomeOf, type Simulation, type WhatIfChange } from './what-if.ts';

const MOST = 200_000;

/**
 * Another rate, by the generic cell rate algorithm (ITU-T I.371), as the gateway has it: `requests` may come at once, and then so many in each span. A request that is
 * refused takes nothing. Memory: 200,000 callers.
 */
export function rateChange({ per, requests, every }: Extract<WhatIfChange, { kind: 'rate' }>): Simulation {
  const expected = boundedStates<number>(MOST);
  let time = Number.NEGATIVE_INFINITY;
  let freed = 0;
  return {
    judge(decision) {
      const name = decision[per];
      if (name === undefined) return undefined;
      time = Math.max(time, decision.at);
      const next = Math.max(expected.get(name) ?? 0, time) + every / requests;
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
