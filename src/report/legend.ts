import { html, type Markup } from './markup.ts';

/** What a colour stands for: `held` blue, `changed` vermilion, `rest` grey. */
export type LegendKey = 'held' | 'changed' | 'rest';

/** The colours of a picture in words. */
export function legend(...entries: readonly (readonly [LegendKey, string])[]): Markup {
  return html`<p class="legend">${entries.map(([key, words]) => html`<span class="entry"><span class="key ${key}"></span>${words}</span> `)}</p>`;
}
