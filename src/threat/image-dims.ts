/** Transforms know pictures, too: what one is stands on their floor. */
export { type ImageDims, imageDimsOf, pixelAt } from '../transform/image-dims.ts';
