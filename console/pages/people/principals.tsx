import type { PrincipalRow } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { pathOf, touch, useRows } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Filters, Search, Select } from '../../parts/field.tsx';
import { counted } from '../../parts/format.ts';
import { PagedTable } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { confirm } from '../../shell/confirm.tsx';
import { Link, setQuery } from '../../shell/router.tsx';
import { said } from '../../shell/toast.tsx';

/** Who is known here, and who is shut out. */
export function Principals({ query }: { readonly query: URLSearchParams }) {
  const list = useRows<PrincipalRow>(
    pathOf('/api/principals', {
      find: query.get('who') ?? undefined,
      out: query.get('out') ?? undefined,
      most: 50,
    }),
    ({ id }) => id,
  );
  const mayShut = useMay('principals.shut-out');
  return (
    <Card
      flush
      lead="A principal is a person or a program. Budgets and the log count by it, whichever of its keys it uses."
    >
      <Filters>
        <Search label="Name or tenant" value={query.get('who') ?? ''} onFind={(who) => setQuery({ who })} />
        <Select
          label="Show"
          value={query.get('out') ?? ''}
          options={[
            ['', 'everybody'],
            ['1', 'who is shut out'],
          ]}
          onChange={(out) => setQuery({ out })}
        />
      </Filters>
      <PagedTable
        list={list}
        what="who is known"
        label="Principals by name"
        keyOf={({ id }) => id}
        toneOf={({ out }) => (out === undefined ? undefined : 'alarmed')}
        columns={[
          {
            id: 'id',
            title: 'Who',
            cell: ({ id, tenant }) => (
              <span class="two-lines">
                <Link to={`/people?principal=${encodeURIComponent(id)}`}>
                  <Text of={id} most={36} />
                </Link>
                <span class="muted">
                  <Text of={tenant} most={28} />
                </span>
              </span>
            ),
          },
          { id: 'keys', title: 'Keys', extra: true, cell: ({ keys }) => counted(keys, 'key') },
          {
            id: 'roles',
            title: 'Roles',
            extra: true,
            cell: ({ roles }) =>
              roles.length === 0 ? <span class="none">none</span> : <Text of={roles.join(', ')} most={48} />,
          },
          {
            id: 'out',
            title: 'State',
            cell: ({ out, note }) =>
              out === undefined ? (
                <Badge tone="held">May come in</Badge>
              ) : (
                <span class="two-lines">
                  <span>
                    <Badge tone="changed">Shut out</Badge> <Time at={out} />
                  </span>
                  {note !== undefined && (
                    <span class="muted">
                      <Text of={note} most={80} />
                    </span>
                  )}
                </span>
              ),
          },
          {
            id: 'acts',
            title: <span class="unseen">What can be done</span>,
            cell: (row) => mayShut && <Shut of={row} />,
          },
        ]}
        empty={
          <Empty title="Nobody fits" icon="people">
            Whoever gets a key, or is shut out, is listed here.
          </Empty>
        }
      />
    </Card>
  );
}

function Shut({ of: { id, tenant, out } }: { readonly of: PrincipalRow }) {
  const isOut = out !== undefined;
  const act = async (): Promise<void> => {
    const because = await confirm({
      title: isOut ? (
        <>
          Let <Text of={id} /> in again?
        </>
      ) : (
        <>
          Shut out <Text of={id} />?
        </>
      ),
      action: isOut ? 'Let in' : 'Shut out',
      tone: isOut ? 'main' : 'danger',
      reason: { label: 'Why, for the log', required: !isOut },
      children: isOut ? (
        <p>Keys, tokens and certificates that are still good work again.</p>
      ) : (
        <p>
          No more service at once, whatever it presents: keys, tokens or certificates. It can be let in again.
        </p>
      ),
    });
    if (because === undefined) return;
    await tell(`/api/principals/${encodeURIComponent(id)}/shut-out`, {
      ...{ tenant, out: !isOut },
      ...(because !== '' && { because }),
    });
    touch('/api/principals', '/api/keys', '/api/clients');
    said(isOut ? 'Let in again.' : 'Shut out.');
  };
  return (
    <Button small about={id} onPress={act}>
      {isOut ? 'Let in' : 'Shut out'}
    </Button>
  );
}
