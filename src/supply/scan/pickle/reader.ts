import type { ByteSource } from '../../../data/byte-source.ts';
import { countedValue, lineValue, textOf } from './argument-value.ts';
import { type Argument, OPCODES } from './opcodes.ts';
import { PickleError } from './pickle-error.ts';
import { FLOAT, SHORT, type Value } from './value.ts';

/** The longest argument that is taken into memory, and the most that is read at once for opcodes. */
const WINDOW = 1 << 20;
/** What is read first: most pickles in a row of them, and most that are none, are short. */
const FIRST = 1 << 14;
/** The longest line; Python has no limit, but no pickler writes a longer one. */
const MAX_LINE = 1 << 24;

const UTF8_TEXTS: ReadonlySet<string> = new Set(['SHORT_BINUNICODE', 'BINUNICODE', 'BINUNICODE8']);
/**
 * Reads opcodes with their arguments out of a content, through a window: what an argument counts is passed over, not held.
 * Lines end at a line feed and at nothing else, as in CPython.
 */
export class PickleReader {
  /** Byte of the current opcode. */
  at = 0;
  /** The current opcode's byte; 0 before the first. */
  code = 0;
  /** Its argument. */
  value: Value = null;
  /** The second line of `lines`. */
  second = '';
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #buffer: Buffer = Buffer.alloc(0);
  /** Byte of the content where the window begins. */
  #base = 0;
  /** The next byte, counted in the window. */
  #next = 0;
  /** Bytes that the window must hold from `#next` on before the opcode can be read. */
  #wanted = 0;
  /** Bytes that the next read asks for. */
  #reads = FIRST;

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.#base = start;
  }

  /** Byte after the current opcode and its argument. */
  get position(): number {
    return this.#base + this.#next;
  }

  get size(): number {
    return this.#source.size;
  }

  /** Moves on to byte `position`. */
  seek(position: number): void {
    const next = position - this.#base;
    if (next >= 0 && next <= this.#window.length) this.#next = next;
    else {
      this.#base = position;
      this.#next = 0;
      this.#take(new Uint8Array(0));
    }
  }

  /**
   * Reads the next opcode where the window holds it whole; where it does not, false, and {@link fill} has to be waited for.
   * Errors: {@link PickleError} (an unknown opcode, the end of the content, an argument that says nonsense).
   */
  next(): boolean {
    const begin = this.#next;
    if (begin >= this.#window.length) return this.#ask(begin, 1);
    this.at = this.#base + begin;
    const code = this.#window[begin]!;
    const opcode = OPCODES[code];
    if (opcode === undefined) throw new PickleError(`byte ${code} is no opcode`);
    this.code = code;
    this.#next = begin + 1;
    return opcode.argument === 'none' || this.#argument(opcode.argument, opcode.name) || this.#back(begin);
  }

  /** Reads on, so that {@link next} can go on. Errors: {@link PickleError} at the end of the content. */
  async fill(): Promise<void> {
    const from = this.position;
    const left = this.#source.size - from;
    if (left < this.#wanted || left === 0) throw new PickleError('the stream ends too soon');
    const held = this.#window.subarray(this.#next);
    const length = Math.min(left, Math.max(this.#reads, this.#wanted));
    this.#reads = Math.min(WINDOW, 4 * this.#reads);
    const more = await this.#source.read(from + held.length, length - held.length);
    const window = new Uint8Array(length);
    window.set(held);
    window.set(more, held.length);
    this.#base = from;
    this.#next = 0;
    this.#take(window);
  }

  #take(window: Uint8Array): void {
    this.#window = window;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.#buffer = Buffer.from(window.buffer, window.byteOffset, window.byteLength);
  }

  #ask(from: number, wanted: number): false {
    this.#next = from;
    this.#wanted = wanted;
    return false;
  }

  #back(begin: number): false {
    this.#wanted += this.#next - begin;
    this.#next = begin;
    return false;
  }

  /** Whether `count` more bytes are in the window. */
  #has(count: number): boolean {
    if (this.#next + count <= this.#window.length) return true;
    this.#wanted = count;
    return false;
  }

  #argument(kind: Argument, name: string): boolean {
    const at = this.#next;
    switch (kind) {
      case 'u1':
        if (!this.#has(1)) return false;
        this.value = this.#window[at]!;
        this.#next += 1;
        return true;
      case 'u2':
        if (!this.#has(2)) return false;
        this.value = this.#view.getUint16(at, true);
        this.#next += 2;
        return true;
      case 'u4':
      case 'i4':
        if (!this.#has(4)) return false;
        this.value = kind === 'u4' ? this.#view.getUint32(at, true) : this.#view.getInt32(at, true);
        this.#next += 4;
        return true;
      case 'u8':
        if (!this.#has(8)) return false;
        this.value = this.#count(8);
        this.#next += 8;
        return true;
      case 'f8':
        if (!this.#has(8)) return false;
        this.value = FLOAT;
        this.#next += 8;
        return true;
      case 'counted1':
        return this.#counted(1, name);
      case 'counted4':
        return this.#counted(4, name);
      case 'counted8':
        return this.#counted(8, name);
      default:
        return this.#lines(kind === 'lines' ? 2 : 1, name);
    }
  }

  #count(bytes: 1 | 4 | 8): number {
    if (bytes === 1) return this.#window[this.#next]!;
    if (bytes === 4) return this.#view.getUint32(this.#next, true);
    const count = Number(this.#view.getBigUint64(this.#next, true));
    if (!Number.isSafeInteger(count)) throw new PickleError(`a length of ${count} bytes`);
    return count;
  }

  #counted(bytes: 1 | 4 | 8, name: string): boolean {
    if (!this.#has(bytes)) return false;
    const length = this.#count(bytes);
    const offset = this.position + bytes;
    if (length > this.#source.size - offset)
      throw new PickleError('an argument goes past the end of the stream');
    const shown = length > WINDOW ? SHORT : length;
    if (!this.#has(bytes + shown)) return false;
    const start = this.#next + bytes;
    this.value =
      this.#shortText(name, start, length) ??
      countedValue(name, this.#window.subarray(start, start + shown), length, offset);
    // Passed over in one step: the window moves where it does not hold the argument.
    this.seek(offset + length);
    return true;
  }

  /** A short text of ASCII, which is what most of a large pickle consists of, in half the time that a decoder takes. `undefined` for all else. */
  #shortText(name: string, start: number, length: number): string | undefined {
    if (length > SHORT || !UTF8_TEXTS.has(name)) return undefined;
    const window = this.#window;
    let bits = 0;
    for (let i = start; i < start + length; i++) bits |= window[i]!;
    return bits < 0x80 ? this.#buffer.toString('latin1', start, start + length) : undefined;
  }

  #lines(count: 1 | 2, name: string): boolean {
    let at = this.#next;
    const found: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const end = this.#window.indexOf(0x0a, at);
      if (end < 0) {
        const held = this.#window.length - this.#next;
        const left = this.#source.size - this.position;
        if (held >= left) throw new PickleError('a line without an end');
        if (held >= MAX_LINE) throw new PickleError(`a line of more than ${MAX_LINE} bytes`);
        this.#wanted = Math.min(left, Math.max(256, 2 * held));
        return false;
      }
      found.push(this.#window.subarray(at, end));
      at = end + 1;
    }
    if (count === 2) {
      this.value = textOf(found[0]!);
      this.second = textOf(found[1]!);
    } else this.value = lineValue(name, found[0]!, this.position);
    this.#next = at;
    return true;
  }
}
