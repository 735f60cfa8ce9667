import type { FeatureGallery, GalleryItem } from './gallery.ts';
import { legend } from './legend.ts';
import { html, type Markup } from './markup.ts';

/** Columns of a table that are drawn: those that changed most. */
const SHOWN = 10;
const ROW = 24;
const WIDTH = 420;

/** What an attack changed in a sample that is no picture: bars for a table's row, lines for a series. */
export function featurePicture(gallery: FeatureGallery, item: GalleryItem): Markup {
  return gallery.kind === 'table' ? bars(gallery, item) : lines(gallery, item);
}

/** A number in few characters, whatever its size. */
function brief(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : 'none';
}

/** The columns with the largest change, each as a bar to the left (less) or right (more) of the middle. */
function bars({ featureNames }: FeatureGallery, { clean, adversarial }: GalleryItem): Markup {
  const changes = Array.from(clean, (value, i) => ({ i, change: adversarial[i]! - value }))
    .filter((each) => each.change !== 0 && Number.isFinite(each.change))
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.i - b.i);
  if (changes.length === 0) return html`<p class="muted">No value changed.</p>`;
  const shown = changes.slice(0, SHOWN);
  const most = Math.abs(shown[0]!.change);
  const middle = 265;
  const half = 60;
  return html`<svg class="bars" viewBox="0 0 ${WIDTH} ${shown.length * ROW}" role="img" aria-label="The ${shown.length} values that changed most">
<line class="axis" x1="${middle}" x2="${middle}" y1="0" y2="${shown.length * ROW}"/>
${shown.map(({ i, change }, row) => {
  const length = Math.round((Math.abs(change) / most) * half * 100) / 100;
  const name = featureNames?.[i] || `value ${i}`;
  return html`<g><text class="class" x="0" y="${row * ROW + 16}">${name.length > 25 ? `${name.slice(0, 24)}…` : name}</text><rect class="${change < 0 ? 'held' : 'changed'}" x="${change < 0 ? middle - length : middle}" y="${row * ROW + 5}" width="${length}" height="${ROW - 10}"/><text class="tick" x="${WIDTH}" y="${row * ROW + 16}" text-anchor="end">${brief(clean[i]!)} → ${brief(adversarial[i]!)}</text><title>${name}: ${brief(clean[i]!)} → ${brief(adversarial[i]!)} (${change > 0 ? '+' : ''}${brief(change)})</title></g>`;
})}
</svg><p class="muted small">${changes.length > SHOWN ? `The ${SHOWN} of ${changes.length} changed values that moved most` : 'Values that moved'}, on one scale.</p>`;
}

/** Clean and attacked values over time, a panel for each of the first three channels. */
function lines({ channels = 1, featureNames }: FeatureGallery, { clean, adversarial }: GalleryItem): Markup {
  const steps = Math.max(1, Math.floor(clean.length / Math.max(1, channels)));
  const panel = 110;
  const shown = Math.min(3, Math.max(1, channels));
  const panels = Array.from({ length: shown }, (_, c) => {
    const values = [clean, adversarial].map((all) => Array.from(all.subarray(c * steps, (c + 1) * steps)));
    const finite = values.flat().filter(Number.isFinite);
    const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const span = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - low;
    const path = (series: readonly number[]) =>
      series
        .map((v, i) => {
          const x = (i / Math.max(1, steps - 1)) * WIDTH;
          const y =
            c * panel + 20 + (panel - 28) * (span > 0 && Number.isFinite(v) ? 1 - (v - low) / span : 0.5);
          return `${x.toFixed(1)},${y.toFixed(1)}`;
        })
        .join(' ');
    return html`<text class="tick" x="0" y="${c * panel + 12}">${featureNames?.[c] || (channels > 1 ? `channel ${c}` : '')}</text><polyline class="before" points="${path(values[0]!)}"/><polyline class="after" points="${path(values[1]!)}"/>`;
  });
  return html`<svg class="series" viewBox="0 0 ${WIDTH} ${shown * panel}" role="img" aria-label="Values before and after the attack">${panels}</svg>${legend(['held', 'clean'], ['changed', 'attacked'])}`;
}
