import { randomFrom } from '../../../src/core/random.ts';
import type { Sighting } from '../../../src/monitor/sighting.ts';
import { planSketch } from '../../../src/monitor/sketch/sketch-plan.ts';
import { corrupt } from '../../../src/threat/corruption/corruption.ts';
import { corruptionFrom } from '../../../src/threat/corruption/registry.ts';
import type { CorruptionSeverity } from '../../../src/threat/corruption/severity.ts';
import { DIGIT, digits } from '../stateful/pictures.ts';
import { START } from './world.ts';

/** What happens to digits. */
export const PICTURE_CHANGES = [
  'none',
  'turned by 5°',
  'turned by 15°',
  'turned by 45°',
  'gaussian-noise 1',
  'gaussian-noise 3',
  'brightness 1',
  'contrast 1',
  'motion-blur 1',
  'jpeg-compression 1',
  'only sevens',
] as const;

/** One of {@link PICTURE_CHANGES}. */
export type PictureChange = (typeof PICTURE_CHANGES)[number];

export const PLAN = planSketch({ sampleDims: [1, 28, 28] });
const DIMS = { channels: 1, height: 28, width: 28, layout: 'chw' } as const;

/** Digits as calls, one every two seconds, from 30 clients, sketched. `train` digits without a change are calm; `t10k` digits are those that change. */
export function pictureCalls(
  part: 'train' | 't10k',
  calls: number,
  from: number,
  seed: number,
  change: PictureChange,
): readonly Sighting[] {
  const { x, y, n } = cached(part);
  const rng = randomFrom(seed, 'pictures', part, from, change);
  return Array.from({ length: calls }, (_, i) => {
    let place = rng.integer(n);
    if (change === 'only sevens') while (y[place] !== 7) place = rng.integer(n);
    const picture = changed(x.subarray(place * DIGIT, (place + 1) * DIGIT), change, rng.fork(i));
    const values = new Float32Array(PLAN.features.length);
    PLAN.read(picture, 0, values, 0);
    return {
      ...{
        id: `${part}-${from}-${seed}-${i}`,
        at: START + from + 2000 * i,
        principal: `client ${rng.integer(30)}`,
      },
      ...{
        tenant: undefined,
        credential: undefined,
        address: '10.0.0.1',
        model: 'digits',
        version: '1',
        digest: 'sha256:1',
      },
      ...{ n: 1, outcome: 'answered', guards: [], bucket: 2 },
      sketch: { values, rows: 1, width: values.length, samples: [0] },
    };
  });
}

const loaded = new Map<string, ReturnType<typeof digits>>();
function cached(part: 'train' | 't10k') {
  const made = loaded.get(part) ?? digits(part);
  loaded.set(part, made);
  return made;
}

function changed(
  picture: Float32Array,
  change: PictureChange,
  rng: ReturnType<typeof randomFrom>,
): Float32Array {
  if (change.startsWith('turned')) return turned(picture, (Number(/\d+/.exec(change)![0]) * Math.PI) / 180);
  const [id, severity] = change.split(' ');
  if (severity === undefined || change === 'only sevens') return picture;
  return corrupt(corruptionFrom(id!), picture, DIMS, Number(severity) as CorruptionSeverity, rng);
}

/** Turned around its middle, bilinear, black outside. */
function turned(picture: Float32Array, angle: number): Float32Array {
  const out = new Float32Array(DIGIT);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row > 27 || column > 27 ? 0 : picture[28 * row + column]!;
  for (let row = 0; row < 28; row++)
    for (let column = 0; column < 28; column++) {
      const [dy, dx] = [row - 13.5, column - 13.5];
      const [y, x] = [cos * dy - sin * dx + 13.5, sin * dy + cos * dx + 13.5];
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const [down, right] = [y - top, x - left];
      out[28 * row + column] =
        (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
        down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1));
    }
  return out;
}
