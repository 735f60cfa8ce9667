/** What lies in front of a sign: dirt, stickers, leaves, snow, another pole. */
import type { Rng } from '../../core/random.ts';
import type { Pose } from './camera.ts';
import { between, type Colour, field, type Picture, paint, pick } from './picture.ts';
import { box, disc, placed, polygon, type Shape, turned } from './shape.ts';
import { sine } from './trigonometry.ts';

/** Covers parts of the sign at `pose`: half of the signs by nothing, the others by one thing; `heavily`: by three. */
export function obstruct(picture: Picture, pose: Pose, heavily: boolean, rng: Rng): void {
  const pieces = heavily ? 3 : rng.integer(2);
  for (let i = 0; i < pieces; i++) pick(rng, [dirt, dirt, sticker, leaves, snow, bar])(picture, pose, rng);
}

/** A point on the sign, more often towards its rim. */
function somewhere({ x, y, radius }: Pose, rng: Rng): readonly [number, number] {
  const angle = between(rng, 0, 360);
  const away = radius * Math.sqrt(between(rng, 0.05, 1));
  return [x + away * sine(angle + 90), y + away * sine(angle)];
}

function dirt(picture: Picture, pose: Pose, rng: Rng): void {
  const key = rng.integer(4294967296);
  const grain = pose.radius * between(rng, 0.15, 0.5);
  const level = between(rng, 0.58, 0.75);
  const light = between(rng, 0.1, 0.4);
  const spots: Shape = (x, y) => (level - field(key, x / grain, y / grain)) * grain * 0.66;
  paint(picture, spots, [light * 1.1, light, light * 0.8], between(rng, 0.4, 0.9), 0.5);
}

function sticker(picture: Picture, pose: Pose, rng: Rng): void {
  const [x, y] = somewhere(pose, rng);
  const half = pose.radius * between(rng, 0.1, 0.25);
  const shape =
    rng.uniform() < 0.5
      ? disc(0, 0, half)
      : turned(box(0, 0, half, half * between(rng, 0.5, 1)), between(rng, 0, 90));
  const colour: Colour = [rng.uniform(), rng.uniform(), rng.uniform()];
  paint(picture, placed(shape, x, y), colour);
}

function leaves(picture: Picture, pose: Pose, rng: Rng): void {
  const [x, y] = somewhere(pose, rng);
  const count = 2 + rng.integer(4);
  for (let i = 0; i < count; i++) {
    const long = pose.radius * between(rng, 0.15, 0.38);
    const leaf = turned(
      polygon(
        [
          [-long, 0],
          [0, -long * 0.4],
          [long, 0],
          [0, long * 0.4],
        ],
        0.3,
      ),
      between(rng, 0, 180),
    );
    const light = between(rng, 0.1, 0.55);
    const spread = pose.radius * 0.4;
    paint(picture, placed(leaf, x + between(rng, -spread, spread), y + between(rng, -spread, spread)), [
      light * 0.7,
      light,
      light * 0.35,
    ]);
  }
}

/** Snow that has settled on the upper or lower part. */
function snow(picture: Picture, pose: Pose, rng: Rng): void {
  const key = rng.integer(4294967296);
  const edge = pose.y + pose.radius * between(rng, -1, -0.45);
  const light = between(rng, 0.8, 1);
  paint(
    picture,
    (x, y) => y - edge - 3 * field(key, x / 5, 0),
    [light, light, light],
    between(rng, 0.7, 1),
    1.5,
  );
}

/** A thin branch or wire across. */
function bar(picture: Picture, pose: Pose, rng: Rng): void {
  const [x, y] = somewhere(pose, rng);
  const light = between(rng, 0.03, 0.4);
  const shape = placed(
    turned(box(0, 0, 60, pose.radius * between(rng, 0.04, 0.11)), between(rng, 0, 180)),
    x,
    y,
  );
  paint(picture, shape, [light * 1.15, light, light * 0.85]);
}
