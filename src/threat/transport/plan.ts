import { type ImageDims, pixelAt } from '../image-dims.ts';
import type { Reach } from './reach.ts';

/** How the light of a picture is spread over near pixels, plane by plane; light is what a value lies above black. */
export interface TransportPlan {
  /** The picture that it makes, in the sample's own layout and units. */
  picture(out: Float32Array): void;
  /** Light times pixels on the way, over all light: the average distance in pixels. */
  cost(): number;
  /**
   * Moves the plan by the share `step` towards the one that gains most along `gradient` (one number a value of the picture) at an
   * average distance of at most `eps`; nothing is sent to pixels of full light. Stays within `eps` if it was.
   */
  advance(gradient: Float32Array, step: number, eps: number): void;
  /** Takes back what makes pixels brighter than full light, to where it came from. Never costs anything. */
  returnOverflow(): void;
}

/** Halvings of the search for the price of distance. */
const HALVINGS = 25;
/** Rounds of taking back; what is left over then is cut off by keeping less of the whole plan. */
const ROUNDS = 50;

/** The plan that leaves the picture as it is. Values lie within the bounds. */
export function transportPlan(
  x0: Float32Array,
  image: ImageDims,
  [low, high]: readonly [number, number],
  reach: Reach,
): TransportPlan {
  const { channels, height, width } = image;
  const n = channels * height * width;
  const K = reach.cost.length;
  const full = high - low;
  /** Where plane-wise pixel `i` lies in a sample. */
  const place = new Int32Array(n);
  const light = new Float64Array(n);
  const ahead = new Int32Array(n * K).fill(-1);
  let total = 0;
  for (let c = 0, i = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) {
        place[i] = pixelAt(image, c, y, x);
        light[i] = Math.max(0, x0[place[i]!]! - low);
        total += light[i]!;
        for (let k = 0; k < K; k++) {
          const v = y + reach.down[k]!;
          const u = x + reach.right[k]!;
          if (v >= 0 && v < height && u >= 0 && u < width) ahead[i * K + k] = (c * height + v) * width + u;
        }
      }
  /** Light that pixel `i` sends to place `k` of its window, at `i · K + k`. */
  const sent = new Float64Array(n * K);
  const arrived = light.slice();
  for (let i = 0; i < n; i++) sent[i * K] = light[i]!;
  const lit = Array.from({ length: n }, (_, i) => i).filter((i) => light[i]! > 0);
  const near = new Int32Array(n);
  const distant = new Int32Array(n);
  const gain = new Float64Array(n);
  /** The different distances, and which of them a place has. */
  const distances = [...new Set(reach.cost)];
  const L = distances.length;
  const level = Int32Array.from(reach.cost, (cost) => distances.indexOf(cost));
  const best = new Float64Array(n * L);
  const bestPlace = new Int32Array(n * L);

  const collect = () => {
    arrived.fill(0);
    for (const i of lit)
      for (let k = 0; k < K; k++) {
        const to = ahead[i * K + k]!;
        if (to >= 0) arrived[to]! += sent[i * K + k]!;
      }
  };
  /** Finds, for each lit pixel, the place of each distance that gains most. */
  const rank = () => {
    best.fill(Number.NEGATIVE_INFINITY);
    for (const i of lit) {
      for (let k = 0; k < K; k++) {
        const to = ahead[i * K + k]!;
        if (to < 0 || (k > 0 && arrived[to]! >= full)) continue;
        const at = i * L + level[k]!;
        if (!(gain[to]! > best[at]!)) continue;
        best[at] = gain[to]!;
        bestPlace[at] = k;
      }
    }
  };
  /** For each lit pixel the place that gains most where a unit of distance costs `price`; gives what all the ways cost together. */
  const choose = (price: number, places: Int32Array): number => {
    let cost = 0;
    for (const i of lit) {
      let chosen = 0;
      let most = Number.NEGATIVE_INFINITY;
      for (let l = 0; l < L; l++) {
        const g = best[i * L + l]! - price * distances[l]!;
        if (g <= most) continue;
        most = g;
        chosen = l;
      }
      places[i] = bestPlace[i * L + chosen]!;
      cost += light[i]! * distances[chosen]!;
    }
    return cost;
  };
  const costOf = () => {
    let cost = 0;
    for (const i of lit) for (let k = 1; k < K; k++) cost += sent[i * K + k]! * reach.cost[k]!;
    return total > 0 ? cost / total : 0;
  };

  return {
    picture(out) {
      for (let i = 0; i < n; i++) out[place[i]!] = Math.min(high, low + arrived[i]!);
    },
    cost: costOf,
    advance(gradient, step, eps) {
      const budget = eps * total;
      let largest = 0;
      for (let i = 0; i < n; i++) {
        gain[i] = gradient[place[i]!]! || 0;
        largest = Math.max(largest, Math.abs(gain[i]!));
      }
      if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return;
      rank();
      let share = 0;
      let dear = choose(0, distant);
      if (dear > budget) {
        // At twice the largest gain nothing is worth its way: distances of other places are at least 1.
        let [low, high] = [0, 2 * largest];
        let cheap = choose(high, near);
        for (let i = 0; i < HALVINGS && cheap < dear; i++) {
          const middle = (low + high) / 2;
          const cost = choose(middle, near);
          if (cost <= budget) [high, cheap] = [middle, cost];
          else [low, dear] = [middle, cost];
        }
        cheap = choose(high, near);
        dear = choose(low, distant);
        share = dear > cheap ? (dear - budget) / (dear - cheap) : 1;
      }
      for (let at = 0; at < sent.length; at++) sent[at]! *= 1 - step;
      for (const i of lit) {
        sent[i * K + near[i]!]! += step * share * light[i]!;
        sent[i * K + distant[i]!]! += step * (1 - share) * light[i]!;
      }
      collect();
    },
    returnOverflow() {
      for (let round = 0; round < ROUNDS; round++) {
        let isOver = false;
        const kept = new Float64Array(n).fill(1);
        for (let i = 0; i < n; i++) {
          if (arrived[i]! <= full) continue;
          const home = sent[i * K]!;
          // Own light alone never overflows; what came from elsewhere makes room.
          kept[i] = (full - home) / (arrived[i]! - home);
          isOver = true;
        }
        if (!isOver) return;
        for (const i of lit)
          for (let k = 1; k < K; k++) {
            const to = ahead[i * K + k]!;
            if (to < 0 || kept[to] === 1) continue;
            const back = sent[i * K + k]! * (1 - kept[to]!);
            sent[i * K + k]! -= back;
            sent[i * K]! += back;
          }
        collect();
      }
      let most = 0;
      for (let i = 0; i < n; i++) most = Math.max(most, arrived[i]!);
      if (most <= full) return;
      // Somewhere between the clean picture and this one nothing overflows.
      let share = 1;
      for (let i = 0; i < n; i++)
        if (arrived[i]! > full) share = Math.min(share, (full - light[i]!) / (arrived[i]! - light[i]!));
      for (const i of lit) {
        for (let k = 1; k < K; k++) sent[i * K + k]! *= share;
        sent[i * K] = share * sent[i * K]! + (1 - share) * light[i]!;
      }
      collect();
    },
  };
}
