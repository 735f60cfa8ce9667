import { useState } from 'preact/hooks';
import type { SignInWays } from '../../src/gateway/console/api.ts';
import { useQuery } from '../data/query.ts';
import { useStore } from '../data/store.ts';
import { Brand, Icon } from '../parts/icon.tsx';
import { Text } from '../parts/text.tsx';
import { signInProblem, useLink } from './session.ts';

/** What somebody sees who is not signed in. */
export function SignInPage() {
  const { data: ways } = useQuery<SignInWays>('/api/session/ways');
  const problem = useStore(signInProblem);
  const [link, setLink] = useState('');
  const [busy, setBusy] = useState(false);
  return (
    <main class="sign-in" id="content">
      <p class="brand">
        <Brand size={34} />
        Glacis
      </p>
      <section class="card">
        <h1>Sign in</h1>
        <p class="muted">
          The console of this gateway: what it serves, whether it is well, and what needs a person.
        </p>
        {problem && (
          <p class="problem" role="alert">
            <Text of={problem} most={300} />
          </p>
        )}
        {ways?.oidc?.map(({ name, start }) => (
          // The server's own path alone: an answer from elsewhere cannot lead away.
          <a key={name} class="button main wide" href={/^\/(?![/\\])/.test(start) ? start : '/'}>
            <Icon name="person" size={17} />
            <span>
              Continue with <Text of={name} most={40} />
            </span>
          </a>
        ))}
        {ways !== undefined && ways.oidc.length > 0 && <p class="or">or</p>}
        <form
          onSubmit={async (event) => {
            event.preventDefault();
            if (link.trim() === '' || busy) return;
            setBusy(true);
            await useLink(link);
            setBusy(false);
          }}
        >
          <label class="field">
            <span>One-time link</span>
            <input
              type="password"
              autoComplete="off"
              spellcheck={false}
              placeholder="…/console/#link=…"
              value={link}
              onInput={(event) => setLink(event.currentTarget.value)}
            />
          </label>
          <p class="muted small">
            On the machine that runs the gateway, <code>glacis console</code> prints one. It works once, for a
            few minutes.
          </p>
          <button
            type="submit"
            class={`button wide ${ways?.oidc.length ? 'plain' : 'main'}`}
            disabled={link.trim() === ''}
            aria-busy={busy || undefined}
          >
            Sign in
          </button>
        </form>
      </section>
      {ways?.demo && <p class="muted small">This gateway serves a demonstration.</p>}
    </main>
  );
}
