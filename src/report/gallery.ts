import { GlacisError } from '../core/error.ts';
import type { Picture } from './png.ts';

/** An answer of the model: class index and probability in [0, 1] (NaN where the model gives labels only). */
export interface Answer {
  readonly class: number;
  readonly confidence: number;
}

/** One attacked sample. */
export interface GalleryItem {
  /** Its index in the data. */
  readonly index: number;
  /** Its true class. */
  readonly label: number;
  readonly before: Answer;
  readonly after: Answer;
  /** Pixels as CHW: floats in [0, 1] or bytes; for features, the values as the model takes them. */
  readonly clean: Float32Array | Uint8Array;
  readonly adversarial: Float32Array | Uint8Array;
  readonly eps: number;
  /** Id of the attack. */
  readonly attack: string;
}

/** Samples that are pictures. */
export interface ImageGallery {
  readonly kind?: 'image';
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly items: readonly GalleryItem[];
  readonly classNames?: readonly string[];
}

/** Samples that are rows of a table (`table`) or values over time (`series`, channel after channel). */
export interface FeatureGallery {
  readonly kind: 'table' | 'series';
  /** Names of the columns, or of a series' channels. */
  readonly featureNames?: readonly string[];
  /** Channels of a series; 1 by default. */
  readonly channels?: number;
  readonly items: readonly GalleryItem[];
  readonly classNames?: readonly string[];
}

/** Attacked samples to look at. */
export type Gallery = ImageGallery | FeatureGallery;

/** Whether the samples are pictures. */
export function isImages(gallery: Gallery): gallery is ImageGallery {
  return gallery.kind === undefined || gallery.kind === 'image';
}

/**
 * Throws where a gallery does not hold together.
 *
 * @throws GlacisError `data/mismatch`
 */
export function checkGallery(gallery: Gallery): void {
  const image = isImages(gallery);
  if (image && !(isSize(gallery.width) && isSize(gallery.height) && [1, 3].includes(gallery.channels))) {
    throw new GlacisError(
      'data/mismatch',
      `gallery: expected a width and height of 1 or more and 1 or 3 channels, got ${gallery.width}×${gallery.height}×${gallery.channels}`,
    );
  }
  for (const item of gallery.items) {
    const expected = image ? gallery.width * gallery.height * gallery.channels : item.clean.length;
    for (const key of ['clean', 'adversarial'] as const) {
      if (item[key].length !== expected || expected === 0) {
        throw new GlacisError(
          'data/mismatch',
          `gallery: expected ${expected || 'some'} values in "${key}" of sample ${item.index}, got ${item[key].length}`,
        );
      }
    }
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

/** A value in [0, 1] of either storage; what is not a number counts as 0. */
function unit(values: Float32Array | Uint8Array, i: number): number {
  const value = values instanceof Uint8Array ? values[i]! / 255 : values[i]!;
  return value >= 0 ? Math.min(1, value) : 0;
}

/** CHW values as a picture; `value(i)` gives the i-th in [0, 1]. */
function picture({ width, height, channels }: ImageGallery, value: (i: number) => number): Picture {
  const plane = width * height;
  const pixels = new Uint8Array(plane * channels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) pixels[i * channels + c] = Math.round(value(c * plane + i) * 255);
  }
  return { width, height, channels, pixels };
}

/** A sample's pixels, clean or attacked, as a picture. */
export function samplePicture(gallery: ImageGallery, values: Float32Array | Uint8Array): Picture {
  return picture(gallery, (i) => unit(values, i));
}

/** The largest change of one value, 0 to 1. */
export function largestChange({ clean, adversarial }: GalleryItem): number {
  let most = 0;
  for (let i = 0; i < clean.length; i++)
    most = Math.max(most, Math.abs(unit(adversarial, i) - unit(clean, i)));
  return most;
}

/**
 * How much the changes are magnified at each eps, so that the largest change of all samples with this eps just reaches
 * black or white: samples of one budget can be compared by eye. 1 where nothing changed.
 */
export function magnifications(items: readonly GalleryItem[]): ReadonlyMap<number, number> {
  const most = new Map<number, number>();
  for (const item of items) most.set(item.eps, Math.max(most.get(item.eps) ?? 0, largestChange(item)));
  return new Map([...most].map(([eps, change]) => [eps, change > 0 ? 0.5 / change : 1]));
}

/** The change of a sample, `magnification` times as large, around middle grey (no change is 128). */
export function changePicture(gallery: ImageGallery, item: GalleryItem, magnification: number): Picture {
  return picture(gallery, (i) => {
    const change = magnification * (unit(item.adversarial, i) - unit(item.clean, i));
    return Math.min(1, Math.max(0, 128 / 255 + change));
  });
}

/** The name of a class, or its number; below 0 stands for an answer that is no number. */
export function className(names: readonly string[] | undefined, index: number): string {
  return names?.[index] || (index < 0 ? 'no answer' : `class ${index}`);
}
