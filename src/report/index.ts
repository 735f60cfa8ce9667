/** An assessment, or a comparison of several, as something to look at: one HTML file, or text for a terminal. */
export { renderComparisonHtml } from './compare/html.ts';
export { renderComparisonText } from './compare/text.ts';
export { renderDefenceHtml } from './defence/html.ts';
export { renderDefenceText } from './defence/text.ts';
export type { Answer, FeatureGallery, Gallery, GalleryItem, ImageGallery } from './gallery.ts';
export { renderHtml } from './html.ts';
export { renderText } from './text.ts';
export { renderTrainingHtml } from './training/html.ts';
export { renderTransferHtml } from './transfer/html.ts';
export { renderTransferText } from './transfer/text.ts';
export { type Verdict, type VerdictLevel, verdictOf } from './verdict.ts';
