import { codeOf, OPCODES } from './opcodes.ts';

/** One opcode with its argument, as bytes; texts of `counted…` arguments are UTF-8. */
export function op(name: string, ...args: readonly (string | number | Uint8Array)[]): Uint8Array {
  const code = codeOf(name);
  const [arg = 0] = args;
  const numeric = (bytes: number) => {
    const out = Buffer.alloc(bytes);
    if (Number(arg) < 0) out.writeIntLE(Number(arg), 0, bytes);
    else out.writeUIntLE(Number(arg), 0, Math.min(6, bytes));
    return out;
  };
  const counted = (bytes: number) => {
    const content = typeof arg === 'string' ? Buffer.from(arg) : Buffer.from(arg as Uint8Array);
    const length = Buffer.alloc(bytes);
    length.writeUIntLE(content.length, 0, Math.min(6, bytes));
    return Buffer.concat([length, content]);
  };
  const encoded = (): Uint8Array => {
    switch (OPCODES[code]!.argument) {
      case 'none':
        return Buffer.alloc(0);
      case 'u1':
        return numeric(1);
      case 'u2':
        return numeric(2);
      case 'u4':
      case 'i4':
        return numeric(4);
      case 'u8':
        return numeric(8);
      case 'f8': {
        const out = Buffer.alloc(8);
        out.writeDoubleBE(Number(arg));
        return out;
      }
      case 'counted1':
        return counted(1);
      case 'counted4':
        return counted(4);
      case 'counted8':
        return counted(8);
      default:
        return Buffer.from(args.map((line) => `${line}\n`).join(''));
    }
  };
  return new Uint8Array(Buffer.concat([Buffer.of(code), encoded()]));
}

/** Bytes in a row. */
export function bytes(...parts: readonly (Uint8Array | string | readonly number[])[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part as Uint8Array),
      ),
    ),
  );
}

/** A pickle of protocol 4 with STOP at its end. */
export function pickle(...ops: readonly Uint8Array[]): Uint8Array {
  return bytes(op('PROTO', 4), ...ops, op('STOP'));
}

export const text = (value: string) => op('SHORT_BINUNICODE', value);

/** A name, imported the way that protocol 4 does. */
export const name = (module: string, global: string) => bytes(text(module), text(global), op('STACK_GLOBAL'));

/** `module.global(*args)`, with up to three arguments. */
export function call(module: string, global: string, ...args: readonly Uint8Array[]): Uint8Array {
  const tuple = args.length === 0 ? op('EMPTY_TUPLE') : op(`TUPLE${args.length}`);
  return bytes(name(module, global), ...args, tuple, op('REDUCE'));
}

/** A command that only prints, called as a payload would call its own. */
export const PAYLOAD = call('os', 'system', text('echo harmless'));
