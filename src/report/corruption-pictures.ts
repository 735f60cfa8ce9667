import type { CorruptionExamples } from '../assess/corruption/examples.ts';
import { GlacisError } from '../core/error.ts';
import { CORRUPTIONS } from '../threat/corruption/registry.ts';
import { html, type Markup } from './markup.ts';
import { type Picture, pngAddress } from './png.ts';

/** Larger pictures are shown smaller, or the file would grow by megabytes. */
const MOST = 96;

/**
 * One sample under every corruption: a row of pictures by severity for each.
 *
 * @throws GlacisError `data/mismatch` when sizes do not fit
 */
export function corruptionPictures(examples: CorruptionExamples): Markup {
  const { severities, items, index, clean } = examples;
  const image = (values: Float32Array, alt: string) => {
    const picture = shrunk(examples, values);
    return html`<img class="pixelated" src="${pngAddress(picture)}" width="${picture.width}" height="${picture.height}" alt="${alt}">`;
  };
  return html`<h3>Sample ${index} at severity ${severities.join(', ')}</h3>
<div class="corrupted"><figure><figcaption>clean</figcaption><div class="row">${image(clean, `Sample ${index}, clean`)}</div></figure>
${items.map(
  ({ corruption, pictures }) =>
    html`<figure><figcaption>${corruptionTitle(corruption)}</figcaption><div class="row">${pictures.map((each, i) => image(each, `${corruptionTitle(corruption)}, severity ${severities[i]}`))}</div></figure>`,
)}</div>`;
}

/** The name of a corruption for readers; its id where this version does not know it. */
export function corruptionTitle(id: string): string {
  return CORRUPTIONS.find((each) => each.id === id)?.title ?? id;
}

/** Planes as pixels, reduced to means of whole squares until both sides are at most {@link MOST}. */
function shrunk({ width, height, channels }: CorruptionExamples, values: Float32Array): Picture {
  if (values.length !== width * height * channels)
    throw new GlacisError(
      'data/mismatch',
      `corruption pictures: expected ${width}×${height}×${channels} values, got ${values.length}`,
    );
  const by = Math.max(1, Math.ceil(Math.max(width, height) / MOST));
  const [across, down] = [Math.max(1, Math.floor(width / by)), Math.max(1, Math.floor(height / by))];
  const pixels = new Uint8Array(across * down * channels);
  for (let i = 0; i < pixels.length; i++) {
    const c = i % channels;
    const x = by * (Math.floor(i / channels) % across);
    const y = by * Math.floor(i / channels / across);
    let sum = 0;
    let count = 0;
    for (let v = y; v < Math.min(height, y + by); v++)
      for (let u = x; u < Math.min(width, x + by); u++, count++) sum += values[(c * height + v) * width + u]!;
    pixels[i] = Math.round(255 * Math.min(1, Math.max(0, sum / count)));
  }
  return { width: across, height: down, channels, pixels };
}
