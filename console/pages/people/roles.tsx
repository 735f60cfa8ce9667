import type { RolesView } from '../../../src/gateway/console/api.ts';
import { useQuery } from '../../data/query.ts';
import { session } from '../../data/session.ts';
import { useStore } from '../../data/store.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { titled } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loaded } from '../../parts/loading.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';

const KINDS = {
  read: ['rest', 'looks'],
  disclose: ['warn', 'sees what is kept'],
  change: ['changed', 'changes'],
} as const;

/** Who may do what: each action, and the roles that have it. */
export function Roles() {
  const found = useQuery<RolesView>('/api/roles');
  const me = useStore(session);
  return (
    <Loaded query={found} what="the roles" lines={8}>
      {({ roles, actions }) => (
        <Card
          flush
          title="Who may do what"
          lead="As the rules in force say of somebody with one role alone. Whoever runs the service decides no reviews, and whoever audits changes nothing."
          side={
            me && <span class="muted small">You have: {me.roles.map(titled).join(', ') || 'no role'}</span>
          }
        >
          <Table
            label="Actions and the roles that may do them"
            rows={actions}
            keyOf={({ action }) => action}
            columns={[
              {
                id: 'about',
                title: 'What',
                cell: ({ about, action }) => (
                  <span class="two-lines">
                    <Text of={about} most={120} />
                    <code class="muted">{action}</code>
                  </span>
                ),
              },
              {
                id: 'kind',
                title: 'It',
                extra: true,
                cell: ({ kind }) => <Badge tone={KINDS[kind][0]}>{KINDS[kind][1]}</Badge>,
              },
              ...roles.map((role) => ({
                id: role,
                title: titled(role),
                cell: ({ by }: RolesView['actions'][number]) =>
                  by.includes(role) ? (
                    <span class="yes">
                      <Icon name="done" size={16} />
                      <span class="unseen">yes</span>
                    </span>
                  ) : (
                    <span class="none">
                      <span aria-hidden="true">·</span>
                      <span class="unseen">no</span>
                    </span>
                  ),
              })),
            ]}
          />
        </Card>
      )}
    </Loaded>
  );
}
