import type { Comparison } from '../../assess/compare/comparison.ts';
import { html, type Markup } from '../markup.ts';

/** The class of a model's colour, as in the chart. */
export function modelClass(i: number): string {
  return `s${i % 6}`;
}

/** A model's letter in its colour. */
export function letter({ models }: Comparison, i: number): Markup {
  return html`<span class="letter ${modelClass(i)}">${models[i]!.label}</span>`;
}

/** Which letter stands for which model. */
export function modelList(comparison: Comparison): Markup {
  return html`<ul class="models">${comparison.models.map(({ name, status }, i) => html`<li>${letter(comparison, i)}${name}${status === 'partial' && html` <span class="muted">(not finished)</span>`}</li>`)}</ul>`;
}
