/**
 * Markup that is safe by construction: whatever is put into an {@link html} template is escaped, unless it came out of
 * one itself. Model names, class names and notes come from files that an attacker may have written.
 */

/** No JSON and no object from outside can carry it: the one sign of finished markup. */
const finished: unique symbol = Symbol('markup');

/** Finished markup; only {@link html} makes it. */
export interface Markup {
  readonly [finished]: string;
}

/** What a template takes; `false`, `null` and `undefined` leave nothing behind. */
export type Slot = string | number | false | null | undefined | Markup | readonly Slot[];

/**
 * Characters that show nothing or turn the reading direction around (controls, U+202A–U+202E, U+2066–U+2069, …) could
 * make a name look like another: each becomes U+FFFD. Line feed and tab stay.
 */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => (c === '\n' || c === '\t' ? c : '\ufffd'));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** The text, fit to stand in HTML and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (c) => ENTITIES[c]!);
}

function render(slot: Slot): string {
  if (slot === false || slot === null || slot === undefined) return '';
  if (typeof slot === 'number') return String(slot);
  if (typeof slot === 'object') {
    if (Array.isArray(slot)) return slot.map(render).join('');
    const markup = (slot as Markup)[finished];
    if (typeof markup === 'string') return markup;
  }
  return escapeHtml(String(slot));
}

/**
 * HTML or SVG from a template; every value is escaped as {@link escapeHtml} does, and attributes must be quoted.
 *
 * @example
 * html`<td title="${name}">${[one, two].map((v) => html`<b>${v}</b>`)}</td>`
 */
export function html(parts: TemplateStringsArray, ...slots: readonly Slot[]): Markup {
  let out = parts[0]!;
  for (let i = 0; i < slots.length; i++) out += render(slots[i]) + parts[i + 1]!;
  return { [finished]: out };
}

/** The finished markup as text. */
export function source(markup: Markup): string {
  return markup[finished];
}
