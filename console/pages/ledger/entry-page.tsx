import type { DecisionDetail } from '../../../src/gateway/console/api.ts';
import { useQuery } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Card, Opening } from '../../parts/card.tsx';
import { ClassName } from '../../parts/class-name.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Facts } from '../../parts/field.tsx';
import { count, exact, figure, score, titled } from '../../parts/format.ts';
import { Loaded } from '../../parts/loading.tsx';
import { GUARD_DID, Outcome, outcomeWords } from '../../parts/outcome.tsx';
import { Raw } from '../../parts/raw.tsx';
import { RealInput } from '../../parts/real-input.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';
import { OpenCase } from '../cases/open-case.tsx';
import { ReceiptCard } from './receipt-card.tsx';

/** One entry of the log: what it says, its bytes, and the proof that it is there. */
export function EntryPage({ id }: { readonly id: string }) {
  const found = useQuery<DecisionDetail>(`/api/decisions/${encodeURIComponent(id)}`);
  return (
    <>
      <p class="way-back">
        <Link to="/ledger">Ledger</Link>
      </p>
      <Loaded query={found} what="the entry">
        {(detail) => <Entry detail={detail} />}
      </Loaded>
    </>
  );
}

function Entry({ detail }: { readonly detail: DecisionDetail }) {
  const { decision, event, entry, text } = detail;
  const mayRead = useMay('log.read');
  return (
    <>
      <Opening
        chip={decision ? outcomeWords(decision.outcome) : 'Event'}
        tone={decision === undefined ? 'rest' : decision.outcome === 'answered' ? 'held' : 'changed'}
        title={decision ? `Entry ${count(entry)}` : titled(event?.event ?? 'An entry')}
        side={decision && <OpenCase about={aboutCall(decision)} />}
      >
        {decision ? (
          <>
            A call to{' '}
            <b>
              <Text of={decision.model} />
            </b>{' '}
            by{' '}
            <b>
              <Text of={decision.principal} />
            </b>
            , {exact(decision.at)}.
          </>
        ) : (
          event && (
            <>
              By{' '}
              <b>
                <Text of={event.by} />
              </b>
              , {exact(event.at)}.
            </>
          )
        )}
      </Opening>
      <div class="columns">
        {decision ? <DecisionCard detail={detail} /> : <EventCard detail={detail} />}
        {mayRead && <ReceiptCard key={entry} entry={entry} text={text} />}
      </div>
      <Card title="Its bytes" lead="What the log holds, exactly: canonical JSON. This is what was hashed.">
        <Raw of={readable(text)} label="The entry, as the log has it" />
      </Card>
    </>
  );
}

/** A case about one call. */
function aboutCall({ id, model, principal, at }: NonNullable<DecisionDetail['decision']>) {
  const principals = principal === undefined ? [] : [principal];
  return { model, principals, decisions: [id], first: at, last: at };
}

function DecisionCard({ detail: { decision } }: { readonly detail: DecisionDetail }) {
  const { id, principal, tenant, credential, address, model, version, digest, n, outcome, because } =
    decision!;
  const { detail: told, explained, guards, input, top, divergence, bucket } = decision!;
  return (
    <Card title="What was decided">
      <Facts
        of={[
          ['Outcome', <Outcome key="outcome" of={outcome} />],
          because !== undefined && ['Because', <Text key="because" of={because} most={500} />],
          ['Decision', <Digest key="id" of={id} most={16} />],
          [
            'Caller',
            principal === undefined ? (
              <span class="none">nobody known</span>
            ) : (
              <Link key="principal" to={pathTo('traffic', principal)}>
                <Text of={principal} />
              </Link>
            ),
          ],
          ['Tenant', <Text key="tenant" of={tenant} />],
          ['Credential', <Text key="credential" of={credential} />],
          ['Address', <Text key="address" of={address} />],
          [
            'Model',
            <Text key="model" of={`${model}${version === undefined ? '' : `, version ${version}`}`} />,
          ],
          ['Digest', <Digest key="digest" of={digest} />],
          ['Samples', count(n)],
          told !== undefined && ['Told', titled(told)],
          ['Took', bucket === null ? 'longer than any bound' : `up to ${count(bucket)} ms`],
          explained !== undefined && ['Explained', `by ${explained}`],
          divergence !== undefined && ['Second opinion', `differs by ${figure(divergence)}`],
          input && [
            'Input',
            `[${input.shape.join(' × ')}], from ${figure(input.least)} to ${figure(input.most)}, mean ${figure(input.mean)}`,
          ],
          top &&
            top.length > 0 && [
              'Answer',
              top.slice(0, 8).map(([label, sure], i) => (
                <span key={i} class="block">
                  <ClassName model={model} label={label} /> <span class="muted">{score(sure)}</span>
                </span>
              )),
            ],
        ]}
      />
      <RealInput decision={id} labels={(top ?? []).map(([label]) => label)} />
      {guards.length > 0 && (
        <Table
          label="What the guards said"
          rows={guards}
          keyOf={({ guard }) => guard}
          toneOf={({ action }) => (action === 'pass' ? undefined : 'alarmed')}
          columns={[
            { id: 'guard', title: 'Guard', cell: ({ guard }) => titled(guard) },
            { id: 'action', title: 'Said', cell: ({ action }) => GUARD_DID[action] ?? action },
            { id: 'score', title: 'Score', number: true, cell: ({ score }) => figure(score ?? Number.NaN) },
            { id: 'because', title: 'Because', extra: true, cell: (row) => <Text of={row.because} /> },
          ]}
        />
      )}
    </Card>
  );
}

function EventCard({ detail: { event } }: { readonly detail: DecisionDetail }) {
  if (event === undefined)
    return (
      <Card title="What it says">
        <p class="muted">This entry is of a kind that this page does not know. Its bytes are below.</p>
      </Card>
    );
  return (
    <Card title="What happened">
      <Facts
        of={[
          ['Event', <Text key="event" of={event.event} />],
          ['By', <Text key="by" of={event.by} />],
          ...Object.entries(event.about)
            .slice(0, 40)
            .map(
              ([name, value]) =>
                [
                  titled(name),
                  <Text key={name} of={Array.isArray(value) ? value.join(', ') : String(value)} most={400} />,
                ] as const,
            ),
        ]}
      />
    </Card>
  );
}

/** JSON with line feeds, where it is JSON. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
