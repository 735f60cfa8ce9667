import { useEffect, useRef } from 'preact/hooks';
import { AskError } from '../data/ask.ts';
import { createStore, useStore } from '../data/store.ts';
import { IconButton } from '../parts/button.tsx';
import { Text } from '../parts/text.tsx';
import { Link } from './router.tsx';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
  /** A page that it leads to. */
  readonly to?: string | undefined;
}

/** Milliseconds that a good word stays; a bad one stays until it is closed. */
const STAYS = 6000;
const toasts = createStore<readonly Toast[]>([]);
let last = 0;

/** Says that something was done, or happened; `to`: a page about it. */
export function said(text: string, to?: string): void {
  add('good', text, to);
}

/** Says what went wrong. */
export function failed(thrown: unknown): void {
  if (thrown instanceof DOMException && thrown.name === 'AbortError') return;
  add(
    'bad',
    thrown instanceof AskError ? thrown.message : thrown instanceof Error ? thrown.message : String(thrown),
  );
}

function add(tone: Toast['tone'], text: string, to?: string): void {
  last++;
  const others = toasts.get().filter((each) => each.text !== text);
  toasts.set([...others, { id: last, tone, text, to }].slice(-4));
}

function drop(id: number): void {
  toasts.set(toasts.get().filter((each) => each.id !== id));
}

/** Where messages appear; a screen reader hears them. */
export function Toasts() {
  const all = useStore(toasts);
  return (
    <section class="toasts" aria-label="What was said">
      <div aria-live="polite" role="status">
        {all
          .filter(({ tone }) => tone === 'good')
          .map((each) => (
            <One key={each.id} {...each} />
          ))}
      </div>
      <div aria-live="assertive" role="alert">
        {all
          .filter(({ tone }) => tone === 'bad')
          .map((each) => (
            <One key={each.id} {...each} />
          ))}
      </div>
    </section>
  );
}

function One({ id, tone, text, to }: Toast) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined as never);
  const start = (): void => {
    if (tone === 'good') timer.current = setTimeout(() => drop(id), STAYS);
  };
  useEffect(() => {
    start();
    return () => clearTimeout(timer.current);
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a message under the pointer stays; it can be closed by keyboard, too.
    <div class={`toast ${tone}`} onMouseEnter={() => clearTimeout(timer.current)} onMouseLeave={start}>
      <span>
        <Text of={text} most={400} /> {to && <Link to={to}>Open it</Link>}
      </span>
      <IconButton icon="close" label="Close this message" onPress={() => drop(id)} />
    </div>
  );
}
