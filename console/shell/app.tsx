import type { ComponentType } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { openLive } from '../data/live.ts';
import { session } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Opening } from '../parts/card.tsx';
import { Empty } from '../parts/empty.tsx';
import { Loading } from '../parts/loading.tsx';
import { cut, plainText } from '../parts/text.tsx';
import { Confirms } from './confirm.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { Header } from './header.tsx';
import { useShortcuts } from './keys.ts';
import { BottomBar, SideBar } from './navigation.tsx';
import { useNewCases } from './new-cases.ts';
import { Overlays } from './overlays.tsx';
import { partsOf, usePlace } from './router.tsx';
import { type PageProps, type Route, routeOf } from './routes.ts';
import { SignInPage } from './sign-in.tsx';
import { Toasts } from './toast.tsx';

/** Everything: who is not signed in sees one page, who is sees all that they may. */
export function App() {
  const who = useStore(session);
  return (
    <ErrorBoundary where="the console">
      {who === undefined ? (
        <Loading what="the console" />
      ) : who === null ? (
        <SignInPage />
      ) : (
        <Shell key={who.principal} />
      )}
      <Confirms />
      <Toasts />
    </ErrorBoundary>
  );
}

function Shell() {
  const { path, query } = usePlace();
  const [id = '', ...rest] = partsOf(path);
  const route = routeOf(id);
  useEffect(() => openLive(), []);
  useShortcuts();
  useNewCases();
  useLayoutEffect(() => {
    const named = rest.slice(0, 1).map((name) => plainText(cut(name, 80)));
    document.title = `${[...named, route?.title ?? 'Not found'].join(' · ')} · Glacis`;
  }, [path]);
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class="shell">
        <SideBar now={id} />
        <div class="stage">
          <Header route={route} />
          <main id="content" tabIndex={-1} class={`page page-${route?.id || 'overview'}`}>
            {route ? (
              <ErrorBoundary key={path} where={route.title}>
                <Shown key={route.id} route={route} rest={rest} query={query} path={path} />
              </ErrorBoundary>
            ) : (
              <Opening chip="404" title="There is no such page.">
                The address names nothing that this console has. The navigation lists what there is.
              </Opening>
            )}
          </main>
        </div>
        <BottomBar now={id} />
      </div>
      <Overlays />
    </>
  );
}

/** Pages that were loaded: a way back shows them at once. */
const loaded = new Map<string, ComponentType<PageProps>>();
let isFirst = true;

function Shown({ route, rest, query, path }: { readonly route: Route; readonly path: string } & PageProps) {
  const [Page, setPage] = useState<ComponentType<PageProps> | undefined>(() => loaded.get(route.id));
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    if (Page !== undefined) return;
    let gone = false;
    route.load().then(
      ({ default: found }) => {
        loaded.set(route.id, found);
        if (!gone) setPage(() => found);
      },
      (thrown: unknown) => {
        if (!gone) setProblem(thrown);
      },
    );
    return () => {
      gone = true;
    };
  }, [route]);
  // A screen reader begins a new page at its beginning, and so does the keyboard; not when the console is opened.
  useEffect(() => {
    if (Page === undefined) return;
    if (!isFirst) focusContent();
    isFirst = false;
  }, [path, Page !== undefined]);
  if (problem !== undefined) {
    return (
      <Empty title="This page could not be loaded" icon="refresh">
        The console was probably renewed while it was open. <a href={location.href}>Load it again</a>.
      </Empty>
    );
  }
  return Page === undefined ? <Loading what={route.title} /> : <Page rest={rest} query={query} />;
}

function focusContent(): void {
  const content = document.getElementById('content');
  (content?.querySelector<HTMLElement>('h1') ?? content)?.focus({ preventScroll: true });
}
