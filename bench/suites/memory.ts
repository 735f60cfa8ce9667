import type { BenchOptions } from '../options.ts';
import type { Row } from '../report.ts';
import { gradientSuite } from './gradient.ts';

const MODES = ['input', 'train'] as const;

/**
 * Peak resident memory of the whole process, engine included, for input gradient and training step of ResNet-18 (unless
 * another network is asked for): few repetitions, since the peak is reached in the first ones.
 */
export async function memorySuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const mode of options.mode === undefined ? MODES : [options.mode])
    rows.push(...(await gradientSuite({ network: 'resnet18', ...options, quick: true, mode }, progress)));
  return rows;
}
