/**
 * What follows an opcode in the stream. `line` ends at a line feed; `counted…` begins with its own length in 1, 4 or 8 bytes,
 * little-endian.
 */
export type Argument =
  | 'none'
  | 'u1'
  | 'u2'
  | 'u4'
  | 'i4'
  | 'u8'
  | 'f8'
  | 'line'
  | 'lines'
  | 'counted1'
  | 'counted4'
  | 'counted8';

/** An instruction of the pickle machine. */
export interface Opcode {
  readonly name: string;
  readonly argument: Argument;
  /** Whether all that it does is to push its argument: a number or a text. */
  readonly pushes: boolean;
}

/**
 * Every opcode of protocols 0 to 5, by its byte. Source: Lib/pickletools.py and Modules/_pickle.c of CPython 3.14.
 */
const TABLE: readonly (readonly [code: string, name: string, argument?: Argument])[] = [
  ['(', 'MARK'],
  ['.', 'STOP'],
  ['0', 'POP'],
  ['1', 'POP_MARK'],
  ['2', 'DUP'],
  ['F', 'FLOAT', 'line'],
  ['I', 'INT', 'line'],
  ['J', 'BININT', 'i4'],
  ['K', 'BININT1', 'u1'],
  ['L', 'LONG', 'line'],
  ['M', 'BININT2', 'u2'],
  ['N', 'NONE'],
  ['P', 'PERSID', 'line'],
  ['Q', 'BINPERSID'],
  ['R', 'REDUCE'],
  ['S', 'STRING', 'line'],
  ['T', 'BINSTRING', 'counted4'],
  ['U', 'SHORT_BINSTRING', 'counted1'],
  ['V', 'UNICODE', 'line'],
  ['X', 'BINUNICODE', 'counted4'],
  ['a', 'APPEND'],
  ['b', 'BUILD'],
  ['c', 'GLOBAL', 'lines'],
  ['d', 'DICT'],
  ['}', 'EMPTY_DICT'],
  ['e', 'APPENDS'],
  ['g', 'GET', 'line'],
  ['h', 'BINGET', 'u1'],
  ['i', 'INST', 'lines'],
  ['j', 'LONG_BINGET', 'u4'],
  ['l', 'LIST'],
  [']', 'EMPTY_LIST'],
  ['o', 'OBJ'],
  ['p', 'PUT', 'line'],
  ['q', 'BINPUT', 'u1'],
  ['r', 'LONG_BINPUT', 'u4'],
  ['s', 'SETITEM'],
  ['t', 'TUPLE'],
  [')', 'EMPTY_TUPLE'],
  ['u', 'SETITEMS'],
  ['G', 'BINFLOAT', 'f8'],
  ['\x80', 'PROTO', 'u1'],
  ['\x81', 'NEWOBJ'],
  ['\x82', 'EXT1', 'u1'],
  ['\x83', 'EXT2', 'u2'],
  ['\x84', 'EXT4', 'i4'],
  ['\x85', 'TUPLE1'],
  ['\x86', 'TUPLE2'],
  ['\x87', 'TUPLE3'],
  ['\x88', 'NEWTRUE'],
  ['\x89', 'NEWFALSE'],
  ['\x8a', 'LONG1', 'counted1'],
  ['\x8b', 'LONG4', 'counted4'],
  ['B', 'BINBYTES', 'counted4'],
  ['C', 'SHORT_BINBYTES', 'counted1'],
  ['\x8c', 'SHORT_BINUNICODE', 'counted1'],
  ['\x8d', 'BINUNICODE8', 'counted8'],
  ['\x8e', 'BINBYTES8', 'counted8'],
  ['\x8f', 'EMPTY_SET'],
  ['\x90', 'ADDITEMS'],
  ['\x91', 'FROZENSET'],
  ['\x92', 'NEWOBJ_EX'],
  ['\x93', 'STACK_GLOBAL'],
  ['\x94', 'MEMOIZE'],
  ['\x95', 'FRAME', 'u8'],
  ['\x96', 'BYTEARRAY8', 'counted8'],
  ['\x97', 'NEXT_BUFFER'],
  ['\x98', 'READONLY_BUFFER'],
];

const PUSHES: ReadonlySet<string> = new Set(
  'FLOAT INT BININT BININT1 BININT2 LONG LONG1 LONG4 BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8'.split(
    ' ',
  ),
);

/** The opcode of a byte; `undefined` where the machine knows none. */
export const OPCODES: readonly (Opcode | undefined)[] = byCode();

function byCode(): (Opcode | undefined)[] {
  const opcodes = new Array<Opcode | undefined>(256).fill(undefined);
  for (const [code, name, argument = 'none'] of TABLE)
    opcodes[code.charCodeAt(0)] = { name, argument, pushes: PUSHES.has(name) };
  return opcodes;
}

/** The byte of an opcode, for those who write pickles. */
export function codeOf(name: string): number {
  return TABLE.find((entry) => entry[1] === name)![0].charCodeAt(0);
}
