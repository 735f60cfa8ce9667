import type { PickleReader } from './reader.ts';
import type { World } from './world.ts';

/**
 * The frames of a stream. They are a promise on where reads begin and end, and loaders differ in whether they keep to it, so an opcode
 * across a frame's end is read differently by two of them (cpython#154848): the {@link World} hears of each.
 */
export class Frames {
  /** Byte where the current frame ends; 0 outside frames. */
  #end = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The opcode `name` lies from byte `at` to `end`. */
  pass(name: string, at: number, end: number): void {
    if (this.#end === 0) return;
    if (at >= this.#end) this.#end = 0;
    else if (end > this.#end) {
      this.#world.straddles(`${name} from byte ${at} to ${end} across a frame's end at ${this.#end}`, at);
      this.#end = 0;
    } else if (name === 'STOP' && end < this.#end) {
      this.#world.odd(`STOP ${this.#end - end} bytes before the frame's end`, at);
    }
  }

  /** A frame of `length` bytes begins where `reader` goes on; `at` is the byte of its opcode. */
  open(length: number, at: number, reader: PickleReader): void {
    const end = reader.position + length;
    if (this.#end > 0) this.#world.straddles(`FRAME inside a frame that ends at ${this.#end}`, at);
    if (end > reader.size) {
      this.#world.straddles(`FRAME of ${length} bytes, past the end of the content`, at);
      this.#end = 0;
    } else this.#end = end;
  }
}
