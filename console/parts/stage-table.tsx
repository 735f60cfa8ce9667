import type { Traffic } from '../../src/gateway/console/api.ts';
import { span } from './format.ts';

/** What is done in each stage; the log and the traces have the keys. */
const WORDS: Readonly<Record<string, string>> = {
  admit: 'Key and rights',
  limit: 'Rates and budgets',
  guard: 'Guards',
  run: 'The model',
  verify: 'Second model',
  shape: 'What is told',
  record: 'The log',
  wait: 'Until it is due',
};

/** Where the time of a call goes: a bar from 0 to the mean, a thin line to the 99th percentile. */
export function StageTable({ stages }: { readonly stages: Traffic['stages'] }) {
  if (stages.length === 0) return null;
  const most = Math.max(...stages.map(({ p99 }) => p99), 1e-9);
  return (
    <>
      <dl class="stages">
        {stages.map(({ stage, mean, p99 }) => (
          <div key={stage}>
            <dt>{WORDS[stage] ?? stage}</dt>
            <dd>
              <svg
                viewBox="0 0 100 10"
                preserveAspectRatio="none"
                role="img"
                aria-label={`${WORDS[stage] ?? stage}: ${span(mean)} on average, 99 of 100 within ${span(p99)}`}
              >
                <rect class="empty" x="0" y="4" width={(p99 / most) * 100} height="2" />
                <rect class="held" x="0" y="1" width={(mean / most) * 100} height="8" />
              </svg>
              <span>{span(mean)}</span>
              <span class="muted">{span(p99)}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p class="muted small">On average, and what 99 of 100 stay within.</p>
    </>
  );
}
