import { featurePicture } from './feature-picture.ts';
import { count, percent, radius } from './format.ts';
import {
  type Answer,
  changePicture,
  checkGallery,
  className,
  type Gallery,
  type GalleryItem,
  type ImageGallery,
  isImages,
  largestChange,
  magnifications,
  samplePicture,
} from './gallery.ts';
import { html, type Markup } from './markup.ts';
import { type Picture, pngAddress } from './png.ts';

/** More would make the file heavy and say nothing new. */
const SHOWN = 24;
/** Pictures up to this many pixels across are shown with hard pixel edges. */
const PIXELATED = 160;

/**
 * Attacked samples side by side: clean, attacked, and the change magnified.
 *
 * @throws GlacisError `data/mismatch` when sizes do not fit
 */
export function gallerySection(gallery: Gallery | undefined): Markup | null {
  if (!gallery || gallery.items.length === 0) return null;
  checkGallery(gallery);
  const items = gallery.items.slice(0, SHOWN);
  const rest = gallery.items.length - items.length;
  return html`<section>
<h2>What the attacks look like</h2>
<p class="lead">${
    isImages(gallery)
      ? 'Each row: the clean sample, the attacked one, and the change between them, magnified around grey (grey means no change).'
      : 'Each card: one sample before and after the attack.'
  } ${rest > 0 && `${count(items.length)} of ${count(gallery.items.length)} samples are shown.`}</p>
<div class="gallery">${isImages(gallery) ? images(gallery, items) : items.map((item) => card(gallery, item, featurePicture(gallery, item)))}</div>
</section>`;
}

/** The changed sample that the model is surest about, large: what an attack means at a glance. */
export function keyPicture(gallery: Gallery | undefined): Markup | null {
  if (!gallery || !isImages(gallery)) return null;
  checkGallery(gallery);
  const sure = (item: GalleryItem) => (Number.isFinite(item.after.confidence) ? item.after.confidence : 0);
  const [item] = gallery.items
    .filter((each) => each.before.class === each.label && each.after.class !== each.label)
    .sort((a, b) => sure(b) - sure(a));
  if (!item) return null;
  return html`<figure class="key-picture">
<div>${image(gallery, samplePicture(gallery, item.clean), `Sample ${item.index}, clean`)}<p>read as<br>${answer(gallery, item, item.before)}</p></div>
<div class="attacked">${image(gallery, samplePicture(gallery, item.adversarial), `Sample ${item.index}, attacked`)}<p>attacked, read as<br>${answer(gallery, item, item.after)}</p></div>
</figure>`;
}

/** A picture inside the page. */
function image(gallery: ImageGallery, what: Picture, alt: string): Markup {
  const size = gallery.width <= PIXELATED && 'pixelated';
  return html`<img class="${size}" src="${pngAddress(what)}" width="${gallery.width}" height="${gallery.height}" alt="${alt}">`;
}

function images(gallery: ImageGallery, items: readonly GalleryItem[]): readonly Markup[] {
  const factors = magnifications(items);
  return items.map((item) => {
    const factor = factors.get(item.eps)!;
    const change = largestChange(item);
    return card(
      gallery,
      item,
      html`<div class="triple">
<div>${image(gallery, samplePicture(gallery, item.clean), `Sample ${item.index}, clean`)}<p>clean<br>${answer(gallery, item, item.before)}</p></div>
<div>${image(gallery, samplePicture(gallery, item.adversarial), `Sample ${item.index}, attacked`)}<p>attacked<br>${answer(gallery, item, item.after)}</p></div>
<div>${image(gallery, changePicture(gallery, item, factor), `Sample ${item.index}, magnified change`)}<p>change ×${times(factor)}<br><span class="muted">at most ${change === 0 ? '0' : radius(change)}</span></p></div>
</div>`,
    );
  });
}

function times(factor: number): string {
  return factor >= 10 ? factor.toFixed(0) : factor.toFixed(1);
}

function answer(
  { classNames }: Gallery,
  { label }: GalleryItem,
  { class: index, confidence }: Answer,
): Markup {
  const sure = Number.isFinite(confidence)
    ? html` <span class="muted">(${percent(confidence)})</span>`
    : null;
  return html`<b class="${index === label ? 'right' : 'wrong'}">${className(classNames, index)}</b>${sure}`;
}

function card(gallery: Gallery, item: GalleryItem, body: Markup): Markup {
  const { before, after, label } = item;
  const fell = after.class !== label;
  const outcome = !fell ? 'held' : before.class === label ? 'changed' : 'wrong before';
  return html`<figure class="card ${fell ? 'fell' : 'stood'}"><figcaption><span class="truth">True: <b>${className(gallery.classNames, label)}</b></span><span class="badge">${outcome}</span></figcaption>
${!isImages(gallery) && html`<p class="flip">${answer(gallery, item, before)} <span class="muted">→</span> ${answer(gallery, item, after)}</p>`}
${body}
<p class="origin">sample ${item.index} · ${item.attack} · eps ${radius(item.eps)}</p></figure>`;
}
