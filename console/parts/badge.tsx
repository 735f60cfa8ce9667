import type { ComponentChildren } from 'preact';
import type { Case } from '../../src/incident/case.ts';
import type { AlarmKind, AlarmSeverity } from '../../src/monitor/alarm.ts';
import { titled } from './format.ts';

/** A word on a pill; colour never says more than the word. */
export function Badge({
  tone = 'rest',
  children,
}: {
  readonly tone?: 'held' | 'changed' | 'warn' | 'rest' | undefined;
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const PIPS: Readonly<Record<AlarmSeverity, number>> = { critical: 4, high: 3, medium: 2, low: 1 };

/** How bad, as a word and as marks. */
export function Severity({ of }: { readonly of: AlarmSeverity }) {
  const full = PIPS[of] ?? 0;
  return (
    <span class={`severity ${of in PIPS ? of : ''}`}>
      <svg class="pips" viewBox="0 0 46 10" aria-hidden="true">
        {[0, 1, 2, 3].map((i) => (
          <rect
            key={i}
            class={i < full ? 'full' : 'hollow'}
            x={1 + i * 12}
            y="1"
            width="8"
            height="8"
            rx="2"
          />
        ))}
      </svg>
      {titled(String(of))}
    </span>
  );
}

const STATE_TONES = { open: 'changed', working: 'warn', contained: 'held', closed: 'rest' } as const;

/** How far a case is. */
export function CaseStateBadge({ of }: { readonly of: Pick<Case, 'state' | 'verdict'> }) {
  const word =
    of.state === 'closed' && of.verdict !== undefined
      ? `closed: ${of.verdict.replace('-', ' ')}`
      : of.state === 'working'
        ? 'in work'
        : of.state;
  return <Badge tone={STATE_TONES[of.state]}>{titled(word)}</Badge>;
}

const KIND_WORDS: Readonly<Record<AlarmKind, readonly [string, 'changed' | 'warn' | 'rest']>> = {
  attack: ['Attack-like', 'changed'],
  drift: ['Drift-like', 'warn'],
  fault: ['Fault', 'rest'],
};

/** Whether it looks like somebody's doing or like the world's. */
export function KindBadge({ of }: { readonly of: AlarmKind }) {
  const [word, tone] = KIND_WORDS[of] ?? [String(of), 'rest'];
  return <Badge tone={tone}>{word}</Badge>;
}
