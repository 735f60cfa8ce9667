import { useState } from 'preact/hooks';
import type { KeyList, KeyRow } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { pathOf, touch, useQuery, useRows } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Filters, Search, Select } from '../../parts/field.tsx';
import { counted } from '../../parts/format.ts';
import { PagedTable } from '../../parts/table.tsx';
import { TakeMeasure } from '../../parts/take-measure/take-measure.tsx';
import { plainText, Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { confirm } from '../../shell/confirm.tsx';
import { setQuery } from '../../shell/router.tsx';
import { said } from '../../shell/toast.tsx';
import { NewKey } from './new-key.tsx';
import { SecretDialog } from './secret.tsx';

const STATES = {
  active: ['held', 'Active'],
  ending: ['warn', 'Ending'],
  expired: ['rest', 'Expired'],
  revoked: ['changed', 'Revoked'],
} as const;

const DETAIL_WORDS: Readonly<Record<KeyRow['scope']['detail'], string>> = {
  label: 'the class alone',
  topk: 'likeliest classes',
  scores: 'scores',
  logits: 'all outputs',
  explanation: 'explanations',
};

/** Keys: what each may do, and making, rotating and ending them. */
export function Keys({ query }: { readonly query: URLSearchParams }) {
  const path = pathOf('/api/keys', {
    find: query.get('find') ?? undefined,
    state: query.get('state') ?? undefined,
    principal: query.get('principal') ?? undefined,
    most: 50,
  });
  const list = useRows<KeyRow>(path, ({ id }) => id);
  const { data } = useQuery<KeyList>(path);
  const [isMaking, setMaking] = useState(false);
  const [secret, setSecret] = useState<{ readonly text: string; readonly principal: string } | undefined>();
  const may = { create: useMay('keys.create'), rotate: useMay('keys.rotate'), revoke: useMay('keys.revoke') };
  const isFiltered = ['find', 'state', 'principal'].some((name) => query.has(name));
  return (
    <Card
      flush
      title={data === undefined ? 'Keys' : counted(data.total, 'key')}
      side={
        may.create && (
          <Button tone="main" icon="plus" onPress={() => setMaking(true)}>
            New key
          </Button>
        )
      }
    >
      <Filters>
        <Search
          label="Name, caller, tenant, role"
          value={query.get('find') ?? ''}
          onFind={(find) => setQuery({ find })}
        />
        <Select
          label="State"
          value={query.get('state') ?? ''}
          options={[
            ['', 'any'] as const,
            ...Object.entries(STATES).map(([id, [, words]]) => [id, words.toLowerCase()] as const),
          ]}
          onChange={(state) => setQuery({ state })}
        />
        {query.has('principal') && (
          <Button small icon="close" onPress={() => setQuery({ principal: undefined })}>
            Only <Text of={query.get('principal') ?? ''} most={24} />
          </Button>
        )}
      </Filters>
      <PagedTable
        list={list}
        what="the keys"
        label="Keys, the newest first"
        keyOf={({ id }) => id}
        columns={[
          {
            id: 'principal',
            title: 'Caller',
            cell: ({ principal, tenant, name }) => (
              <span class="two-lines">
                <b>
                  <Text of={principal} most={32} />
                </b>
                <span class="muted">
                  <Text of={tenant} most={24} />
                  {name !== undefined && (
                    <>
                      , <Text of={name} most={32} />
                    </>
                  )}
                </span>
              </span>
            ),
          },
          { id: 'id', title: 'Key', extra: true, cell: ({ id }) => <Digest of={id} /> },
          { id: 'scope', title: 'May', extra: true, cell: (row) => <Scope of={row} /> },
          {
            id: 'roles',
            title: 'Roles',
            extra: true,
            cell: ({ roles }) =>
              roles.length === 0 ? (
                <span class="none">none</span>
              ) : (
                roles.map((role) => (
                  <span class="tag" key={role}>
                    <Text of={role} most={24} />
                  </span>
                ))
              ),
          },
          {
            id: 'state',
            title: 'State',
            cell: ({ state, revokedBecause, revokedBy }) => (
              <span
                title={
                  revokedBy === undefined
                    ? undefined
                    : plainText(`by ${revokedBy}${revokedBecause ? `: ${revokedBecause}` : ''}`)
                }
              >
                <Badge tone={STATES[state][0]}>{STATES[state][1]}</Badge>
              </span>
            ),
          },
          { id: 'used', title: 'Used', extra: true, cell: ({ lastUsed }) => <Time at={lastUsed} /> },
          {
            id: 'expires',
            title: 'Ends',
            extra: true,
            cell: ({ expires }) =>
              expires === undefined ? <span class="muted">when revoked</span> : <Time at={expires} />,
          },
          {
            id: 'acts',
            title: <span class="unseen">What can be done</span>,
            cell: (row) => <Acts of={row} may={may} onSecret={setSecret} />,
          },
        ]}
        empty={
          <Empty title={isFiltered ? 'No key fits' : 'No keys yet'} icon="people">
            {isFiltered
              ? 'Leave something out to see more.'
              : 'Whoever asks a model needs a key, a token of your identity provider, or a certificate.'}
          </Empty>
        }
      />
      {isMaking && (
        <NewKey
          principal={query.get('principal') ?? ''}
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setSecret(made);
          }}
        />
      )}
      {secret && <SecretDialog {...secret} onClose={() => setSecret(undefined)} />}
    </Card>
  );
}

function Scope({ of: { scope } }: { readonly of: KeyRow }) {
  return (
    <span class="two-lines">
      <span>
        {scope.models.includes('*') ? 'all models' : <Text of={scope.models.join(', ')} most={36} />}
      </span>
      <span class="muted">
        {DETAIL_WORDS[scope.detail]}
        {scope.operations.includes('infer') ? '' : ', no answers'}
      </span>
    </span>
  );
}

function Acts({
  of: { id, principal, state },
  may,
  onSecret,
}: {
  readonly of: KeyRow;
  readonly may: { readonly rotate: boolean; readonly revoke: boolean };
  readonly onSecret: (secret: { readonly text: string; readonly principal: string }) => void;
}) {
  const rotate = async (): Promise<void> => {
    const given = await confirm({
      title: (
        <>
          Rotate the key of <Text of={principal} />?
        </>
      ),
      action: 'Rotate',
      children: (
        <p>
          A new key takes its place, with the same rights. The old one holds on for a while, so that it can be
          exchanged without a break.
        </p>
      ),
    });
    if (given === undefined) return;
    const made = await tell<{ readonly key: string }>(`/api/keys/${encodeURIComponent(id)}/rotate`, {});
    touch('/api/keys', '/api/principals');
    onSecret({ text: made.key, principal });
  };
  const revoke = async (): Promise<void> => {
    const because = await confirm({
      title: (
        <>
          Revoke this key of <Text of={principal} />?
        </>
      ),
      action: 'Revoke',
      tone: 'danger',
      reason: { label: 'Why, for the log', required: true },
      children: (
        <p>
          It ends at once, on every gateway of this store within seconds. This cannot be taken back: make
          another key instead.
        </p>
      ),
    });
    if (because === undefined) return;
    await tell(`/api/keys/${encodeURIComponent(id)}/revoke`, { because });
    touch('/api/keys', '/api/principals');
    said('The key is revoked.');
  };
  const isUsable = state === 'active' || state === 'ending';
  return (
    <span class="row-acts">
      {may.rotate && state === 'active' && (
        <Button small about={principal} onPress={rotate}>
          Rotate
        </Button>
      )}
      {may.revoke && isUsable && (
        <Button small about={principal} onPress={revoke}>
          Revoke
        </Button>
      )}
      {isUsable && (
        <TakeMeasure
          small
          title="Quarantine"
          describes={`${principal}, key ${id.slice(0, 8)}`}
          about={{ measure: 'quarantine', who: 'credential', name: id }}
        />
      )}
    </span>
  );
}
