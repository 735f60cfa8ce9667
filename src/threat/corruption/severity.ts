/** How strong a corruption is, 1 (weak) to 5. */
export const CORRUPTION_SEVERITIES = [1, 2, 3, 4, 5] as const;

/** One of {@link CORRUPTION_SEVERITIES}. */
export type CorruptionSeverity = (typeof CORRUPTION_SEVERITIES)[number];

/** The parameters of one corruption: a row for each severity. */
type Rows = readonly [
  readonly number[],
  readonly number[],
  readonly number[],
  readonly number[],
  readonly number[],
];

/**
 * The published parameters of one corruption, by the data set that they were made for: CIFAR-10-C (pictures of 32 × 32),
 * Tiny-ImageNet-C (64 × 64) and ImageNet-C (224 × 224).
 *
 * @see https://arxiv.org/abs/1903.12261 Hendrycks & Dietterich 2019; the figures are those of the programs that made the data
 * sets, https://github.com/hendrycks/robustness (`ImageNet-C/create_c`)
 */
export interface SeverityTable {
  readonly cifar: Rows;
  readonly tinyImageNet: Rows;
  readonly imageNet: Rows;
}

/** Sides that the tables were made for, and the binary logarithms of them, rising. */
const PUBLISHED = [
  [5, 'cifar'],
  [6, 'tinyImageNet'],
  [Math.log2(224), 'imageNet'],
] as const;

/**
 * The parameters for a picture, by its shorter side: those of CIFAR-10-C up to 32 pixels, of Tiny-ImageNet-C at 64, of
 * ImageNet-C from 224 on, as published; between two of these sides each parameter is interpolated, linearly in the logarithm
 * of the side (our choice: nothing is published there). Lengths are in pixels and do not grow past 224.
 */
export function parametersFor(
  table: SeverityTable,
  { height, width }: { readonly height: number; readonly width: number },
  severity: CorruptionSeverity,
): readonly number[] {
  const row = severity - 1;
  const side = Math.log2(Math.min(height, width));
  const above = PUBLISHED.findIndex(([at]) => side <= at);
  if (above === 0) return table.cifar[row]!;
  if (above < 0) return table.imageNet[row]!;
  const [low, before] = PUBLISHED[above - 1]!;
  const [high, after] = PUBLISHED[above]!;
  const share = (side - low) / (high - low);
  return table[before][row]!.map((value, i) => value + share * (table[after][row]![i]! - value));
}
