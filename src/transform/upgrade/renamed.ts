import { defineLowering, type LowerRule } from '../lower/rule.ts';
import { renew } from './renew.ts';

/** `GridSample` names two of its modes anew since opset 20. */
const gridSample = defineLowering({
  op: 'GridSample',
  until: 19,
  note: 'modes bilinear, bicubic → linear, cubic',
  lower: (context) => {
    const mode = context.attrs.string('mode', 'bilinear');
    const names: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };
    return renew(context, context.inputs, { set: { mode: names[mode] ?? mode } });
  },
});

/** `RoiAlign` did not shift by half a pixel before opset 16. */
const roiAlign = defineLowering({
  op: 'RoiAlign',
  until: 15,
  note: 'coordinates: output_half_pixel, said explicitly',
  lower: (context) =>
    renew(context, context.inputs, { set: { coordinate_transformation_mode: 'output_half_pixel' } }),
});

/** `Scatter` is `ScatterElements` since opset 11. */
const scatter = defineLowering({
  op: 'Scatter',
  note: '→ ScatterElements',
  lower: (context) => renew(context, context.inputs, { op: 'ScatterElements' }),
});

/** Operators of which only a name changed, or a default. */
export const renamed: readonly LowerRule[] = [gridSample, roiAlign, scatter];
