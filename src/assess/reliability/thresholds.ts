/**
 * Where a check's suspicion begins. Chosen on nine trained models without a defence or adversarially trained (convolutional,
 * residual, recurrent, attention; 28 × 28 and 32 × 32 images; `test/masking/bases.ts`) at a small, a usual and a large radius each, and on
 * the defences of `test/masking/development.ts` at several strengths; then frozen. `test/masking/held-out.ts` holds defences that
 * were made afterwards, and docs/masking.md how the checks did on them. In brackets: the honest model that came nearest, of 32 samples
 * or 64.
 */
export const THRESHOLDS = Object.freeze({
  /** Share of samples whose gradient is zero or not finite (0). */
  zeroGradients: 0.1,
  /** Median correlation of what the gradient predicts with what happens (0.995). */
  agreement: 0.9,
  /** The same where gradient ascent leaves samples standing. */
  agreementWhereSomeStand: 0.95,
  /** A start is flat where the gradient promises less than this share of the fall that happens … */
  flat: 0.1,
  /** … and this share of flat starts is suspicious. */
  flatStarts: 0.15,
  /** Median share of the loss's whole way that ascent went downwards. */
  backwards: 0.2,
  /** Share of samples that an ascent changes only along the blurred gradient, less those that it changes only along the plain one. */
  gained: 0.05,
  /** Share of samples that no attack of the assessment changed, and more steps do. */
  moreSteps: 0.05,
  /** Share of samples that stand though every input is allowed. */
  neverFell: 0.05,
  /** Share of standing samples that fall to random points. */
  noise: 0.03,
  /** Share of right answers that only attacks without gradients, or from another model, changed. */
  missed: 0.03,
  /** Fewest samples on which a share above counts. */
  fewest: 2,
  /** Median margin in nats (24). */
  saturation: 45,
  /** Largest outputs crowd under a ceiling where so many of them (0.03) … */
  crowd: 0.25,
  /** … lie within this share of the highest. */
  ceiling: 0.01,
  /** Two answers to the same input differ by more than this share of the margin. */
  gap: 1e-3,
});
