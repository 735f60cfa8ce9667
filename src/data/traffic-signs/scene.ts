/** What lies behind a sign: sky, houses, foliage, walls, other coloured things, a pole. */
import type { Rng } from '../../core/random.ts';
import { between, blend, type Colour, field, type Picture, PLANE, paint, pick, SIZE } from './picture.ts';
import { box, disc, polygon, type Shape } from './shape.ts';

/** A new picture of a street scene without the sign. */
export function paintScene(rng: Rng): Picture {
  const picture = new Float32Array(3 * PLANE);
  pick(rng, [street, street, foliage, wall, plain])(picture, rng);
  const things = rng.integer(4);
  for (let i = 0; i < things; i++) clutter(picture, rng);
  return picture;
}

/** The pole that carries a sign whose centre is at `(x, y)`: from there to the lower edge, leaning a little. */
export function paintPole(picture: Picture, x: number, y: number, radius: number, rng: Rng): void {
  const half = radius * between(rng, 0.05, 0.11);
  const lean = between(rng, -0.15, 0.15);
  const grey = between(rng, 0.25, 0.75);
  const pole: Shape = (px, py) => Math.max(Math.abs(px - x - lean * (py - y)) - half, y - py);
  paint(picture, pole, [grey, grey, grey * between(rng, 0.9, 1.1)]);
}

function gradient(picture: Picture, top: Colour, bottom: Colour): void {
  for (let c = 0; c < 3; c++) {
    for (let row = 0; row < SIZE; row++) {
      const value = top[c]! + (bottom[c]! - top[c]!) * (row / (SIZE - 1));
      picture.fill(value, c * PLANE + row * SIZE, c * PLANE + (row + 1) * SIZE);
    }
  }
}

/** Two octaves of a random field between two colours over the rows from `top` on. */
function mottle(picture: Picture, a: Colour, b: Colour, grain: number, edge: Shape, rng: Rng): void {
  const key = rng.integer(4294967296);
  for (let i = 0; i < PLANE; i++) {
    const x = (i % SIZE) + 0.5;
    const y = Math.floor(i / SIZE) + 0.5;
    const share = Math.min(1, Math.max(0, 0.5 - edge(x, y)));
    if (share === 0) continue;
    const t =
      0.65 * field(key, x / grain, y / grain) + 0.35 * field(key + 1, (2.7 * x) / grain, (2.7 * y) / grain);
    blend(picture, i, [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t], share);
  }
}

function sky(rng: Rng): Colour {
  const light = between(rng, 0.45, 1);
  const blue = between(rng, 0, 0.4);
  return [light * (1 - blue), light * (1 - 0.5 * blue), light];
}

function earthy(rng: Rng, low: number, high: number): Colour {
  const light = between(rng, low, high);
  return [light * between(rng, 0.9, 1.25), light, light * between(rng, 0.65, 1.05)];
}

function leafy(rng: Rng, low: number, high: number): Colour {
  const light = between(rng, low, high);
  return [light * between(rng, 0.5, 1.1), light, light * between(rng, 0.25, 0.7)];
}

function vivid(rng: Rng): Colour {
  const light = between(rng, 0.4, 0.95);
  const families: readonly Colour[] = [
    [1, 0.15, 0.15],
    [0.1, 0.35, 1],
    [1, 0.85, 0.15],
    [1, 1, 1],
    [0.2, 0.7, 0.3],
    [1, 0.5, 0.1],
  ];
  const family = pick(rng, families);
  return [family[0] * light, family[1] * light, family[2] * light];
}

function plain(picture: Picture, rng: Rng): void {
  gradient(picture, rng.uniform() < 0.6 ? sky(rng) : earthy(rng, 0.1, 0.8), earthy(rng, 0.1, 0.8));
}

/** Sky, a row of houses or trees, and a road. */
function street(picture: Picture, rng: Rng): void {
  gradient(picture, sky(rng), sky(rng));
  const horizon = between(rng, 16, 30);
  const standing = 1 + rng.integer(4);
  for (let i = 0; i < standing; i++) {
    const x = between(rng, 0, SIZE);
    if (rng.uniform() < 0.5) house(picture, x, horizon, rng);
    else tree(picture, x, horizon, rng);
  }
  const road = earthy(rng, 0.15, 0.5);
  paint(picture, (_, y) => horizon - y, [road[1], road[1], road[1]]);
}

function house(picture: Picture, x: number, horizon: number, rng: Rng): void {
  const half = between(rng, 3, 10);
  const height = between(rng, 6, 28);
  paint(picture, box(x, horizon - height / 2, half, height / 2), earthy(rng, 0.15, 0.8));
  const dark = between(rng, 0.05, 0.35);
  const step = between(rng, 3, 5);
  const window: Shape = (px, py) => {
    const u = px - x - step * Math.round((px - x) / step);
    const v = py - horizon - step * Math.round((py - horizon) / step);
    const inside = Math.max(Math.abs(px - x) - half + 1, horizon - height + 1 - py, py - horizon);
    return Math.max(Math.abs(u) - step * 0.22, Math.abs(v) - step * 0.28, inside);
  };
  if (rng.uniform() < 0.7) paint(picture, window, [dark, dark, dark * 1.2], between(rng, 0.4, 1));
}

function tree(picture: Picture, x: number, horizon: number, rng: Rng): void {
  const radius = between(rng, 4, 11);
  const y = horizon - radius - between(rng, 0, 8);
  paint(picture, box(x, (y + horizon) / 2, 0.7, (horizon - y) / 2), [0.2, 0.15, 0.1]);
  mottle(picture, leafy(rng, 0.08, 0.3), leafy(rng, 0.3, 0.65), 3, disc(x, y, radius), rng);
}

function foliage(picture: Picture, rng: Rng): void {
  mottle(picture, leafy(rng, 0.04, 0.3), leafy(rng, 0.3, 0.75), between(rng, 2, 8), () => -1, rng);
  if (rng.uniform() < 0.5) {
    const bright = sky(rng);
    const key = rng.integer(4294967296);
    paint(picture, (x, y) => 4.6 * (0.62 - field(key, x / 7, y / 7)), bright, 0.9);
  }
}

/** A mottled wall, often with courses of bricks or boards. */
function wall(picture: Picture, rng: Rng): void {
  mottle(picture, earthy(rng, 0.1, 0.5), earthy(rng, 0.35, 0.8), between(rng, 3, 10), () => -1, rng);
  if (rng.uniform() < 0.6) {
    const step = between(rng, 3, 7);
    const offset = between(rng, 0, step);
    const upright = rng.uniform() < 0.4;
    const line: Shape = (x, y) => {
      const at = (upright ? x : y) - offset;
      return Math.abs(at - step * Math.round(at / step)) - 0.35;
    };
    const light = between(rng, 0.1, 0.8);
    paint(picture, line, [light, light, light], between(rng, 0.3, 0.9));
  }
}

/** Some other coloured thing: a car's corner, a poster, a lamp, part of another sign. */
function clutter(picture: Picture, rng: Rng): void {
  const x = between(rng, -2, SIZE + 2);
  const y = between(rng, -2, SIZE + 2);
  const size = between(rng, 2, 9);
  const colour = rng.uniform() < 0.6 ? vivid(rng) : earthy(rng, 0.05, 0.9);
  const kind = rng.integer(4);
  if (kind === 0) {
    paint(picture, disc(x, y, size), colour);
    if (rng.uniform() < 0.6) paint(picture, disc(x, y, size * between(rng, 0.4, 0.8)), vivid(rng));
  } else if (kind === 1) {
    paint(picture, box(x, y, size, size * between(rng, 0.2, 1.5), 0.5), colour);
  } else if (kind === 2) {
    const corner = () => [x + between(rng, -size, size), y + between(rng, -size, size)] as const;
    paint(picture, polygon([corner(), corner(), corner()], between(rng, 0, 1.5)), colour);
  } else {
    const slope = between(rng, -1, 1);
    const half = between(rng, 0.3, 2);
    const steep = rng.uniform() < 0.5;
    const band: Shape = (px, py) =>
      Math.abs(steep ? px - x - slope * (py - y) : py - y - slope * (px - x)) - half;
    paint(picture, band, colour);
  }
}
