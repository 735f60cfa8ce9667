export {
  type AdaptedDataset,
  type AdaptOptions,
  adaptDataset,
  type Batch,
  type ModelInput,
} from './adapt.ts';
export { type WriteBytes, writeAtomically } from './atomic-write.ts';
export { checkFinite, checkLabels } from './checks.ts';
export type { Bounds } from './convert.ts';
export { type DataOptions, type Dataset, DEFAULT_MAX_BYTES, type Labels } from './dataset.ts';
export type { ElementType, NumberArray } from './element-type.ts';
export { readGreyImage } from './image-folder.ts';
export { type FileLabels, readLabelFile } from './label-file.ts';
export type { StoredLayout } from './layout.ts';
export { type NpyArray, writeNpy } from './npy.ts';
export { writeNpz } from './npz.ts';
export { openDataset } from './open.ts';
