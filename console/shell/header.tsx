import { useState } from 'preact/hooks';
import { connection } from '../data/live.ts';
import { session } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { IconButton } from '../parts/button.tsx';
import { Brand, Icon } from '../parts/icon.tsx';
import { Text } from '../parts/text.tsx';
import { overlay } from './overlay.ts';
import { Link } from './router.tsx';
import type { Route } from './routes.ts';
import { signOut } from './session.ts';
import { isDark, painted, switchTheme } from './theme.ts';
import { failed } from './toast.tsx';

/** The line above every page: where one is, whether it is live, who is signed in. */
export function Header({ route }: { readonly route: Route | undefined }) {
  const who = useStore(session);
  useStore(painted);
  return (
    <header class="topbar">
      <Link to="/" class="brand small-only" aria-label="Glacis, to the overview">
        <Brand size={22} />
        <span class="unseen">Glacis</span>
      </Link>
      <p class="crumb">{route?.title}</p>
      {who?.demo && (
        <span
          class="demo"
          title="This gateway serves a demonstration: its callers, the attacker included, are scripted. What the monitors find is found live."
        >
          Demo<span class="wide-only">: callers are scripted</span>
        </span>
      )}
      <button type="button" class="find" aria-haspopup="dialog" onClick={() => overlay.set('palette')}>
        <Icon name="search" size={16} />
        <span class="find-words">Find a client, a case, a decision</span>
        <kbd class="wide-only">Ctrl K</kbd>
      </button>
      <LiveDot />
      <IconButton
        icon={isDark() ? 'sun' : 'moon'}
        label={isDark() ? 'Light colours' : 'Dark colours'}
        onPress={switchTheme}
      />
      <PersonMenu />
    </header>
  );
}

const STATES = {
  off: 'Not live',
  connecting: 'Connecting',
  live: 'Live',
  lost: 'No connection: trying again',
} as const;

function LiveDot() {
  const state = useStore(connection);
  return (
    <span
      class={`live ${state}`}
      role="status"
      title={state === 'live' ? 'What you see is renewed as it happens' : STATES[state]}
    >
      <span class="dot" aria-hidden="true" />
      <span class={state === 'lost' ? '' : 'wide-only'}>
        {state === 'lost' ? 'Reconnecting' : STATES[state]}
      </span>
    </span>
  );
}

function PersonMenu() {
  const who = useStore(session);
  const [open, setOpen] = useState(false);
  if (!who) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hears Escape, and that the focus left the buttons inside.
    <div
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        setOpen(false);
        event.currentTarget.querySelector('button')?.focus();
      }}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOpen(false);
      }}
    >
      <button
        type="button"
        class="person"
        aria-expanded={open}
        aria-controls="person-menu"
        onClick={() => setOpen(!open)}
      >
        <Icon name="person" />
        <span class="wide-only">
          <Text of={who.principal} most={22} />
        </span>
        <span class="unseen">, signed in</span>
      </button>
      {open && (
        <div id="person-menu" class="menu-list" tabIndex={-1}>
          <p>
            Signed in as{' '}
            <b>
              <Text of={who.principal} most={60} />
            </b>
          </p>
          <p class="muted small">
            {who.roles.length === 0
              ? 'No role'
              : who.roles.map((role) => (
                  <span class="tag" key={role}>
                    <Text of={role} most={24} />
                  </span>
                ))}
          </p>
          <button
            type="button"
            onClick={() => {
              setOpen(false);
              overlay.set('keys');
            }}
          >
            <Icon name="bolt" size={16} /> Keys
          </button>
          <button type="button" onClick={() => signOut().catch(failed)}>
            <Icon name="out" size={16} /> Sign out
          </button>
        </div>
      )}
    </div>
  );
}
