import type { Rng } from '../core/random.ts';

/** Random numbers by the million, for attacks that draw whole samples for each question. */
export interface Noise {
  /** Fills `out` with standard normal numbers (24 random bits each). */
  normals(out: Float32Array): void;
  /** Fills `out` with numbers uniform in [low, high) up to float32's rounding. */
  uniforms(out: Float32Array, low: number, high: number): void;
  /** Fills `out` with −1 and 1, each with probability 1/2. */
  signs(out: Float32Array): void;
}

/** Layers of the ziggurat. */
const LAYERS = 128;
/** Where the tail begins, and the area of a layer. */
const TAIL = 3.442619855899;
const AREA = 9.91256303526217e-3;
const SCALE = 2 ** 31;

/** Words drawn at once. */
const WORDS = 256;

/** Tables of Marsaglia & Tsang: what lies surely below the curve, the layers' widths, the curve's heights. */
const { sure, width, height } = ziggurat();

function ziggurat() {
  const sure = new Float64Array(LAYERS);
  const width = new Float64Array(LAYERS);
  const height = new Float64Array(LAYERS);
  const curve = (x: number) => Math.exp(-0.5 * x * x);
  const base = AREA / curve(TAIL);
  sure[0] = (TAIL / base) * SCALE;
  width[0] = base / SCALE;
  height[0] = 1;
  width[LAYERS - 1] = TAIL / SCALE;
  height[LAYERS - 1] = curve(TAIL);
  let outer = TAIL;
  for (let i = LAYERS - 2; i >= 1; i--) {
    const x = Math.sqrt(-2 * Math.log(AREA / outer + curve(outer)));
    sure[i + 1] = (x / outer) * SCALE;
    width[i] = x / SCALE;
    height[i] = curve(x);
    outer = x;
  }
  return { sure, width, height };
}

/**
 * A fast stream that starts from four words of `rng`: xoshiro128** (Blackman & Vigna 2018), normal numbers by the ziggurat method
 * (Marsaglia & Tsang 2000; the layer and the value take different bits of a word). Measured at a tenth of the time of
 * {@link Rng.normal}. Deterministic given `rng`, from which it draws nothing later.
 */
export function noiseFrom(rng: Rng): Noise {
  const state = Int32Array.from({ length: 4 }, () => rng.integer(2 ** 32));
  // Four zeros would stay zeros.
  state[3]! |= 1;
  const words = new Int32Array(WORDS);
  let at = WORDS;
  /** The next word, from a block of them. */
  const word = (): number => {
    if (at === WORDS) refill();
    return words[at++]!;
  };
  const refill = () => {
    fillWords(state, words);
    at = 0;
  };
  const uniform = () => ((word() >>> 0) + 0.5) / 4294967296;
  /** The few values that are not surely below the curve. */
  const edge = (first: number): number => {
    for (let bits = first; ; bits = word()) {
      const layer = bits & (LAYERS - 1);
      const value = bits & -LAYERS;
      const x = value * width[layer]!;
      if (Math.abs(value) < sure[layer]!) return x;
      if (layer === 0) {
        for (;;) {
          const beyond = -Math.log(uniform()) / TAIL;
          if (-2 * Math.log(uniform()) >= beyond * beyond) return x > 0 ? TAIL + beyond : -TAIL - beyond;
        }
      }
      const y = height[layer]! + uniform() * (height[layer - 1]! - height[layer]!);
      if (y < Math.exp(-0.5 * x * x)) return x;
    }
  };
  return {
    normals(out) {
      for (let i = 0; i < out.length; ) {
        if (at === WORDS) refill();
        // The rest of a block in a loop of its own; what lies at an edge takes words, too, and ends it.
        const first = i - at;
        const end = Math.min(out.length, i + WORDS - at);
        let bits = 0;
        for (; i < end; i++) {
          bits = words[i - first]!;
          const layer = bits & (LAYERS - 1);
          const value = bits & -LAYERS;
          if (Math.abs(value) >= sure[layer]!) break;
          out[i] = value * width[layer]!;
        }
        at = Math.min(i, end - 1) - first + 1;
        if (i < end) out[i++] = edge(bits);
      }
    },
    uniforms(out, low, high) {
      const scale = (high - low) / 4294967296;
      for (let i = 0; i < out.length; i++) out[i] = low + (word() >>> 0) * scale;
    },
    signs(out) {
      let bits = 0;
      for (let i = 0; i < out.length; i++) {
        if (i % 32 === 0) bits = word();
        out[i] = bits & 1 ? 1 : -1;
        bits >>>= 1;
      }
    },
  };
}

/** One block of xoshiro128**. */
function fillWords(state: Int32Array, words: Int32Array): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let i = 0; i < words.length; i++) {
    const r = Math.imul(b, 5);
    words[i] = Math.imul((r << 7) | (r >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
  }
  state.set([a, b, c, d]);
}
