import { Opening } from '../parts/card.tsx';
import { Tabs } from '../parts/tabs.tsx';
import type { PageProps } from '../shell/routes.ts';
import { Keys } from './people/keys.tsx';
import { Principals } from './people/principals.tsx';
import { Roles } from './people/roles.tsx';
import { Sessions } from './people/sessions.tsx';

/** Who may come in, with which key, and who may do what. */
export default function PeoplePage({ query }: PageProps) {
  return (
    <>
      <Opening title="Who may come in, and do what">
        A key names a caller, what it may ask and how much it is told. Its text is shown once, to who makes
        it, and kept nowhere.
      </Opening>
      <Tabs
        label="People and keys"
        tabs={[
          { id: 'keys', title: 'Keys', body: () => <Keys query={query} /> },
          { id: 'people', title: 'People & programs', body: () => <Principals query={query} /> },
          { id: 'sessions', title: 'Signed in', body: () => <Sessions /> },
          { id: 'roles', title: 'Roles', body: () => <Roles /> },
        ]}
      />
    </>
  );
}
