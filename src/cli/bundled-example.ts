import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { asGlacisError } from '../core/error.ts';

/** The example that comes with the program: a classifier of traffic signs and its figures. */
export interface BundledExample {
  /** Path of the ONNX file. */
  readonly model: string;
  /** Path of the same network, trained on against attacks. */
  readonly hardened: string;
  /** Thresholds of guards for the hardened one. */
  readonly calibration: string;
  /** What monitors take for calm when it is served. */
  readonly monitors: string;
  /** How many pictures it was trained on. */
  readonly trainingSamples: number;
  /** Its accuracy on the test pictures of `seed`, and how many they were. */
  readonly testAccuracy: number;
  readonly testSamples: number;
  readonly seed: number;
}

/**
 * Finds the bundled example: `examples/traffic-signs` beside `src` in the repository and beside `dist` in the published package.
 * Errors: `model/unreadable` when it is not there.
 */
export async function bundledExample(): Promise<BundledExample> {
  const folder = new URL('../../examples/traffic-signs/', import.meta.url);
  try {
    const card = JSON.parse(await readFile(new URL('traffic-signs.json', folder), 'utf8')) as Omit<
      BundledExample,
      'model' | 'hardened' | 'calibration' | 'monitors'
    > & { readonly file: string };
    const { trainingSamples, testAccuracy, testSamples, seed } = card;
    const model = fileURLToPath(new URL(card.file, folder));
    const hardened = fileURLToPath(new URL('hardened.onnx', folder));
    const calibration = fileURLToPath(new URL('calibration.json', folder));
    const monitors = fileURLToPath(new URL('monitors.json', folder));
    return { model, hardened, calibration, monitors, trainingSamples, testAccuracy, testSamples, seed };
  } catch (thrown) {
    throw asGlacisError(
      thrown,
      'model/unreadable',
      `the bundled example in ${fileURLToPath(folder)} cannot be read; install Glacis again`,
    );
  }
}
