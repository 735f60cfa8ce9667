import type { Case } from '../../src/incident/case.ts';
import { Link, pathTo } from '../shell/router.tsx';
import { CaseStateBadge, KindBadge, Severity } from './badge.tsx';
import { counted, span } from './format.ts';
import { Text } from './text.tsx';
import { Time } from './time.tsx';

/** Who a case is about, in a few words. */
export function Who({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return <>nobody in particular</>;
  return (
    <>
      <b>
        <Text of={of[0]} most={34} />
      </b>
      {of.length > 1 && ` and ${counted(of.length - 1, 'other')}`}
    </>
  );
}

/** A case on a list, as a block that leads to it. */
export function CaseRow({ of }: { readonly of: Case }) {
  return (
    <li class={`case-row ${of.state} ${of.severity}`} data-row="">
      <div class="case-head">
        <Severity of={of.severity} />
        <KindBadge of={of.kind} />
        <CaseStateBadge of={of} />
        <span class="muted small case-id">
          {of.id} · <Time at={of.updated} />
        </span>
      </div>
      <Link to={pathTo('cases', of.id)} class="case-title">
        <Text of={of.title} most={140} />
      </Link>
      <p class="muted small">
        <Who of={of.principals} /> · {counted(of.queries, 'query', 'queries')} ·{' '}
        {of.models.map((model, i) => (
          <span key={model}>
            {i > 0 && ', '}
            <Text of={model} most={30} />
          </span>
        ))}
        {of.owner !== undefined && (
          <>
            {' · '}
            <Text of={of.owner} most={24} /> has it
          </>
        )}
        {of.containedAfter !== undefined && ` · contained after ${span(of.containedAfter)}`}
      </p>
    </li>
  );
}
