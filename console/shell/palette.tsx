import { useMemo, useState } from 'preact/hooks';
import type { Overview } from '../../src/gateway/console/api.ts';
import { peek } from '../data/query.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Text } from '../parts/text.tsx';
import { useRoutes } from './navigation.tsx';
import { go, pathTo } from './router.tsx';
import { signOut } from './session.ts';
import { switchTheme } from './theme.ts';
import { failed } from './toast.tsx';

interface Choice {
  readonly id: string;
  readonly icon: IconName;
  readonly words: string;
  readonly about: string;
  run(): void;
}

/** Goes anywhere from the keyboard: a page, a case, a model; or looks for what was written as a client or a decision. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const routes = useRoutes();
  const choices = useMemo(() => choicesFor(text.trim(), routes), [text, routes.length]);
  const now = Math.min(at, choices.length - 1);
  const choose = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    onClose();
    choice.run();
  };
  return (
    <Dialog title="Find" kind="palette" onClose={onClose}>
      <div class="palette-line">
        <Icon name="search" />
        <input
          autoFocus
          type="text"
          role="combobox"
          aria-label="Find a page, a case, a client or a decision"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={choices[now] && `palette-${now}`}
          autoComplete="off"
          spellcheck={false}
          maxLength={300}
          placeholder="A page, a case, a client, a decision's id …"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
              event.preventDefault();
              const step = event.key === 'ArrowDown' ? 1 : -1;
              setAt((now + step + choices.length) % choices.length);
            } else if (event.key === 'Enter') {
              event.preventDefault();
              choose(choices[now]);
            }
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div id="palette-list" role="listbox" aria-label="Found" class="palette-list">
        {choices.map((choice, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's, as a combobox has them.
          <div
            key={choice.id}
            id={`palette-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === now}
            ref={(element: HTMLElement | null) => {
              if (i === now) element?.scrollIntoView({ block: 'nearest' });
            }}
            onMouseMove={() => setAt(i)}
            onClick={() => choose(choice)}
          >
            <Icon name={choice.icon} />
            <span>
              <Text of={choice.words} most={70} />
            </span>
            <span class="muted small">{choice.about}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}

function choicesFor(text: string, routes: ReturnType<typeof useRoutes>): readonly Choice[] {
  const overview = peek<Overview>('/api/overview');
  const pages = routes.map(
    (route): Choice => ({
      id: `page-${route.id}`,
      icon: route.icon,
      words: route.title,
      about: `g ${route.key}`,
      run: () => go(`/${route.id}`),
    }),
  );
  const cases = (overview?.cases ?? []).map(
    (each): Choice => ({
      id: each.id,
      icon: 'cases',
      words: `${each.id} ${each.title}`,
      about: each.state,
      run: () => go(pathTo('cases', each.id)),
    }),
  );
  const models = (overview?.models ?? []).map(
    ({ model }): Choice => ({
      id: `model-${model}`,
      icon: 'models',
      words: model,
      about: 'model',
      run: () => go(pathTo('models', model)),
    }),
  );
  const acts: readonly Choice[] = [
    { id: 'theme', icon: 'moon', words: 'Light or dark colours', about: 'switch', run: switchTheme },
    { id: 'out', icon: 'out', words: 'Sign out', about: 'end', run: () => void signOut().catch(failed) },
  ];
  const wanted = text.toLowerCase();
  const fitting = [...pages, ...cases, ...models, ...acts].filter(({ words }) =>
    matches(words.toLowerCase(), wanted),
  );
  return [...fitting.slice(0, 12), ...searchesFor(text, routes)];
}

/** What was written, looked for on the server. */
function searchesFor(text: string, routes: ReturnType<typeof useRoutes>): readonly Choice[] {
  if (text === '') return [];
  const has = (id: string): boolean => routes.some((route) => route.id === id);
  const query = `find=${encodeURIComponent(text)}`;
  const all: readonly (Choice | false)[] = [
    /^c-\d{4}-\d+$/i.test(text) && {
      id: 'case',
      icon: 'cases',
      words: text.toUpperCase(),
      about: 'open the case',
      run: () => go(pathTo('cases', text.toUpperCase())),
    },
    has('traffic') && {
      id: 'find-client',
      icon: 'people',
      words: text,
      about: 'among clients',
      run: () => go(`/traffic?${query}`),
    },
    has('cases') && {
      id: 'find-case',
      icon: 'cases',
      words: text,
      about: 'among cases',
      run: () => go(`/cases?${query}`),
    },
    has('ledger') && {
      id: 'find-decision',
      icon: 'ledger',
      words: text,
      about: 'in the ledger',
      run: () => go(`/ledger?${query}`),
    },
  ];
  return all.filter((each) => each !== false);
}

/** Whether the letters of `wanted` come in this order. */
export function matches(words: string, wanted: string): boolean {
  let from = 0;
  for (const letter of wanted) {
    from = words.indexOf(letter, from) + 1;
    if (from === 0) return false;
  }
  return true;
}
