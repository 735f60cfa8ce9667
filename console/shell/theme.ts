import { createStore } from '../data/store.ts';

/** Light or dark: as the system has it, or as the person chose. */
export type Theme = 'system' | 'light' | 'dark';

/** What the person chose. */
export const theme = createStore<Theme>('system');

/** Counts changes of what is seen, for charts that are painted. */
export const painted = createStore(0);

const KEY = 'glacis-theme';

/** Puts the choice of last time in force. */
export function openTheme(): void {
  theme.watch(() => {
    const chosen = theme.get();
    if (chosen === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // A browser that keeps nothing: it holds until the page is closed.
    }
    painted.set(painted.get() + 1);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => painted.set(painted.get() + 1));
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // As above.
  }
  if (kept === 'light' || kept === 'dark') theme.set(kept);
}

/** Whether dark is seen now. */
export function isDark(): boolean {
  const chosen = theme.get();
  return chosen === 'dark' || (chosen === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
}

/** The other of light and dark. */
export function switchTheme(): void {
  theme.set(isDark() ? 'light' : 'dark');
}

/** A colour of the style sheet as it is now, for what is painted: `--held`. */
export function colour(name: string, opacity = 1): string {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? ['0', '0', '0'];
  probe.remove();
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}
