import type { Confusion } from '../assess/result.ts';
import { count, percent } from './format.ts';
import { className } from './gallery.ts';
import { html, type Markup } from './markup.ts';

/** Bars of more classes say less than the list of the worst ones. */
const SHOWN = 24;

/** What is left of each class under attack, the weakest first. */
export function classBars(confusion: Confusion, names: readonly string[] | undefined): Markup | null {
  const classes = new Map<number, { all: number; held: number }>();
  for (const [label, answer, samples] of confusion.cells) {
    const each = classes.get(label) ?? { all: 0, held: 0 };
    each.all += samples;
    if (label === answer) each.held += samples;
    classes.set(label, each);
  }
  if (classes.size < 2) return null;
  const sorted = [...classes].sort(([a, x], [b, y]) => x.held / x.all - y.held / y.all || a - b);
  return html`<div class="class-bars"><h3>Class by class</h3>
<p class="muted small">Share of each class that stays right, the weakest first${sorted.length > SHOWN && html`; ${SHOWN} of ${count(sorted.length)}`}.</p>
${sorted.slice(0, SHOWN).map(([label, { all, held }]) => {
  const share = Math.round((1000 * held) / all) / 10;
  return html`<div class="class-bar"><span>${className(names, label)}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="8"/><rect class="held" width="${share}" height="8"/></svg><span class="num">${percent(held / all)} <span class="muted">of ${count(all)}</span></span></div>`;
})}</div>`;
}
