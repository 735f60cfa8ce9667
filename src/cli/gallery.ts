import type { Assessed } from '../assess/assess.ts';
import type { AttackedExample } from '../assess/examples.ts';
import type { Gallery } from '../report/gallery.ts';

/** Samples that a report shows, and the most of each attack and eps. */
const SHOWN = 12;
const SHOWN_EACH = 3;

/** The examples of an assessment as a report shows them: pictures where a sample is one, otherwise rows or series. */
export function galleryFrom({ assessment, examples, sampleDims, bounds }: Assessed): Gallery | undefined {
  const chosen = various(examples);
  if (chosen.length === 0) return undefined;
  const { classNames } = assessment.data;
  const named = classNames ? { classNames } : {};
  const image = imageShape(sampleDims);
  if (image && bounds.every(Number.isFinite)) {
    const { channels, height, width, last } = image;
    const pixels = (values: Float32Array) =>
      Float32Array.from(values, (_, i) => {
        const from = last ? (i % (height * width)) * channels + Math.floor(i / (height * width)) : i;
        return (values[from]! - bounds[0]) / (bounds[1] - bounds[0]);
      });
    const items = chosen.map((e) => ({ ...e, clean: pixels(e.clean), adversarial: pixels(e.adversarial) }));
    return { kind: 'image', width, height, channels, items, ...named };
  }
  if (sampleDims.length === 2) return { kind: 'series', channels: sampleDims[0]!, items: chosen, ...named };
  return sampleDims.length === 1 ? { kind: 'table', items: chosen, ...named } : undefined;
}

/** Examples in turn from each attack and eps, of samples that are not shown yet where there are such. */
function various(examples: readonly AttackedExample[]): readonly AttackedExample[] {
  const groups = [...Map.groupBy(examples, ({ attack, eps }) => `${attack} ${eps}`).values()];
  const chosen = new Set<AttackedExample>();
  const samples = new Set<number>();
  for (let turn = 0; turn < SHOWN_EACH; turn++)
    for (const group of groups) {
      if (chosen.size === SHOWN) break;
      const left = group.filter((example) => !chosen.has(example));
      const next = left.find(({ index }) => !samples.has(index)) ?? left[0];
      if (!next) continue;
      chosen.add(next);
      samples.add(next.index);
    }
  return examples.filter((example) => chosen.has(example));
}

function imageShape(
  dims: readonly number[],
):
  | { readonly channels: 1 | 3; readonly height: number; readonly width: number; readonly last: boolean }
  | undefined {
  if (dims.length === 2 && dims[0]! >= 8 && dims[1]! >= 8)
    return { channels: 1, height: dims[0]!, width: dims[1]!, last: false };
  if (dims.length !== 3) return undefined;
  const [a, b, c] = dims as [number, number, number];
  if (a === 1 || a === 3) return { channels: a, height: b, width: c, last: false };
  return c === 1 || c === 3 ? { channels: c, height: a, width: b, last: true } : undefined;
}
