import type { Overview } from '../../src/gateway/console/api.ts';
import { useQuery } from '../data/query.ts';
import { session } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Brand, Icon } from '../parts/icon.tsx';
import { overlay } from './overlay.ts';
import { Link } from './router.tsx';
import { ROUTES, type Route } from './routes.ts';

const GROUPS = ['Now', 'Watch', 'Proof', 'Rules'] as const;
/** In the bar at the bottom of small screens. */
const BOTTOM = ['', 'cases', 'traffic', 'drift'];

/** The pages whose right the person has. */
export function useRoutes(): readonly Route[] {
  const may = useStore(session)?.may ?? [];
  return ROUTES.filter(({ needs }) => needs === undefined || may.includes(needs));
}

/** How many things wait on a page. */
function useWaiting(): Readonly<Record<string, number>> {
  const { data } = useQuery<Overview>('/api/overview');
  const open = data?.cases?.filter(({ state }) => state === 'open' || state === 'working').length ?? 0;
  return { cases: open, review: data?.reviews ?? 0 };
}

/** The navigation of wide screens. */
export function SideBar({ now }: { readonly now: string }) {
  return (
    <nav class="sidebar" aria-label="Pages">
      <Link to="/" class="brand">
        <Brand />
        Glacis
      </Link>
      <Groups now={now} />
    </nav>
  );
}

function Groups({ now, onGo }: { readonly now: string; readonly onGo?: () => void }) {
  const routes = useRoutes();
  const waiting = useWaiting();
  return (
    <>
      {GROUPS.map((group) => {
        const inside = routes.filter((route) => route.group === group);
        if (inside.length === 0) return null;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: closes the drawer after a link inside was followed, by whatever means.
          <ul key={group} aria-label={group} onClick={onGo}>
            <li class="group" aria-hidden="true">
              {group}
            </li>
            {inside.map((route) => (
              <li key={route.id}>
                <Place route={route} now={now} waiting={waiting[route.id] ?? 0} />
              </li>
            ))}
          </ul>
        );
      })}
    </>
  );
}

function Place({
  route,
  now,
  waiting,
}: {
  readonly route: Route;
  readonly now: string;
  readonly waiting: number;
}) {
  return (
    <Link
      to={`/${route.id}`}
      class="place"
      aria-current={route.id === now ? 'page' : undefined}
      onMouseEnter={() => void route.load().catch(() => {})}
    >
      <Icon name={route.icon} />
      <span>{route.title}</span>
      {waiting > 0 && (
        <span class="waiting">
          {waiting > 99 ? '99+' : waiting}
          <span class="unseen"> waiting</span>
        </span>
      )}
    </Link>
  );
}

/** The navigation of small screens: what is looked at most, and the rest in a drawer. */
export function BottomBar({ now }: { readonly now: string }) {
  const routes = useRoutes().filter(({ id }) => BOTTOM.includes(id));
  const waiting = useWaiting();
  return (
    <nav class="bottom-bar" aria-label="Pages">
      {routes.map((route) => (
        <Place key={route.id} route={route} now={now} waiting={waiting[route.id] ?? 0} />
      ))}
      <button type="button" class="place" aria-haspopup="dialog" onClick={() => overlay.set('drawer')}>
        <Icon name="menu" />
        <span>More</span>
      </button>
    </nav>
  );
}

/** All pages, over a small screen. */
export function Drawer({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Pages" kind="drawer" onClose={onClose}>
      <nav aria-label="All pages">
        <Groups now="" onGo={onClose} />
      </nav>
    </Dialog>
  );
}
