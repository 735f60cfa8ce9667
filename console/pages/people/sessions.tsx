import type { SignedIn } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { useQuery } from '../../data/query.ts';
import { session, useMay } from '../../data/session.ts';
import { useStore } from '../../data/store.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loading.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { confirm } from '../../shell/confirm.tsx';
import { said } from '../../shell/toast.tsx';

const PATH = '/api/sessions';

/** Who is signed in to this console, and the end of that. */
export function Sessions() {
  const found = useQuery<readonly SignedIn[]>(PATH, { every: 15_000 });
  const mayEnd = useMay('principals.shut-out');
  const me = useStore(session);
  const end = async ({ name, principal }: SignedIn): Promise<void> => {
    const given = await confirm({
      title: (
        <>
          Sign <Text of={principal} /> out?
        </>
      ),
      action: 'Sign out',
      tone: 'danger',
      children: (
        <p>
          This session ends at once. Whoever still may can sign in again; revoke the key or shut them out to
          keep them out.
        </p>
      ),
    });
    if (given === undefined) return;
    await tell(`${PATH}/${encodeURIComponent(name)}/end`);
    found.refresh();
    said('Signed out.');
  };
  return (
    <Card
      flush
      lead="Each person may be signed in on several devices. A session rests on the key or the provider behind it."
    >
      <Loaded query={found} what="who is signed in">
        {(rows) =>
          rows.length === 0 ? (
            <Empty title="Nobody is signed in" icon="person">
              Whoever opens the console by a link or a provider is listed here.
            </Empty>
          ) : (
            <Table
              label="Sessions, the newest first"
              rows={rows}
              keyOf={({ name }) => name}
              columns={[
                {
                  id: 'who',
                  title: 'Who',
                  cell: ({ principal, tenant }) => (
                    <span class="two-lines">
                      <b>
                        <Text of={principal} most={36} />
                      </b>
                      <span class="muted">
                        <Text of={tenant} most={28} />
                      </span>
                    </span>
                  ),
                },
                {
                  id: 'by',
                  title: 'By',
                  extra: true,
                  cell: ({ way }) =>
                    way === 'link' ? <Badge>One-time link</Badge> : <Text of={way} most={32} />,
                },
                {
                  id: 'address',
                  title: 'From',
                  extra: true,
                  cell: ({ address }) => <Text of={address} most={40} />,
                },
                { id: 'since', title: 'Since', cell: ({ created }) => <Time at={created} /> },
                { id: 'seen', title: 'Last seen', extra: true, cell: ({ seen }) => <Time at={seen} /> },
                { id: 'ends', title: 'Ends', extra: true, cell: ({ ends }) => <Time at={ends} /> },
                {
                  id: 'acts',
                  title: <span class="unseen">What can be done</span>,
                  cell: (row) =>
                    mayEnd && (
                      <Button small about={row.principal} onPress={() => end(row)}>
                        {row.principal === me?.principal ? 'End' : 'Sign out'}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}
