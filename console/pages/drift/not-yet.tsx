import type { MonitorState } from '../../../src/monitor/monitor.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { sentence, titled } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { PHASES } from './phases.ts';

/** Monitors that cannot say anything yet, and what each of them waits for. */
export function NotYet({ states }: { readonly states: readonly MonitorState[] }) {
  if (states.length === 0) return null;
  return (
    <Card title="Not watching yet" lead="What these wait for. Until then they raise no alarm.">
      <ul class="not-yet">
        {states
          .toSorted((a, b) => (a.phase === b.phase ? 0 : a.phase === 'blind' ? -1 : 1))
          .map((state) => {
            const [words, tone] = PHASES[state.phase];
            return (
              <li key={state.monitor}>
                <b>{titled(state.monitor)}</b>
                <Badge tone={tone}>{words}</Badge>
                <span class="muted">
                  {state.because === undefined ? '' : <Text of={sentence(state.because)} most={240} />}
                </span>
              </li>
            );
          })}
      </ul>
    </Card>
  );
}
