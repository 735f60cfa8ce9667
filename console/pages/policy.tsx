import type { PolicyView } from '../../src/gateway/console/api.ts';
import { useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Loaded } from '../parts/loading.tsx';
import { Tabs } from '../parts/tabs.tsx';
import type { PageProps } from '../shell/routes.ts';
import { File } from './policy/file.tsx';
import { Guards } from './policy/guards.tsx';
import { Head } from './policy/head.tsx';
import { Limits } from './policy/limits.tsx';
import { Requirements } from './policy/requirements.tsx';
import { Rights } from './policy/rights.tsx';

/** What is required and met; guards, budgets and rules in force. */
export default function PolicyPage(_: PageProps) {
  const view = useQuery<PolicyView>('/api/policy');
  const mayReload = useMay('policy.reload');
  return (
    <Loaded query={view} what="the policy" lines={8}>
      {(policy) => (
        <>
          <Head policy={policy} mayReload={mayReload} />
          <Tabs
            label="Parts of the policy"
            tabs={[
              { id: 'models', title: 'Models', body: () => <Requirements models={policy.models} /> },
              { id: 'guards', title: 'Guards', body: () => <Guards guards={policy.guards} /> },
              { id: 'limits', title: 'Budgets & rates', body: () => <Limits policy={policy} /> },
              { id: 'rights', title: 'Rights', body: () => <Rights rights={policy.rights} /> },
              { id: 'text', title: 'File', body: () => <File policy={policy} /> },
            ]}
          />
        </>
      )}
    </Loaded>
  );
}
