/** Where a process's memory lies, in bytes that are in RAM; together they are its resident memory. */
export interface MappedMemory {
  /** The program, libraries and files that are read as memory: the system can take them back. */
  readonly files: number;
  /** What native code allocates (`malloc`): ONNX Runtime, SQLite, buffers of less than some hundred KiB. glibc only. */
  readonly native: number;
  /** Everything else without a name: heaps of V8, compiled code, large buffers, stacks. */
  readonly other: number;
}

/** glibc lays the heaps of its arenas at multiples of this (`HEAP_MAX_SIZE` on 64-bit systems) and makes as much of each usable as it needs. */
const ARENA = 64 * 2 ** 20;

interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly rights: string;
  readonly name: string;
  readonly resident: number;
}

/**
 * Reads `/proc/PID/smaps` of Linux. An arena of glibc shows as a mapping that begins at a multiple of 64 MiB and, with what behind it is not usable yet, is as long; the main one is
 * called `[heap]`.
 */
export function mappedMemory(smaps: string): MappedMemory {
  const mappings = mappingsOf(smaps);
  let [files, native, other] = [0, 0, 0];
  for (const [i, each] of mappings.entries()) {
    if (each.name === '[heap]' || isArena(mappings, i)) native += each.resident;
    else if (each.name === '' || each.name.startsWith('[')) other += each.resident;
    else files += each.resident;
  }
  return { files, native, other };
}

function isArena(mappings: readonly Mapping[], i: number): boolean {
  const { start, end, name } = mappings[i]!;
  if (name !== '' || start % ARENA !== 0) return false;
  let until = end;
  for (let at = i + 1; until < start + ARENA && mappings[at]?.start === until; at++) {
    if (mappings[at]!.name !== '' || mappings[at]!.rights !== '---p') break;
    until = mappings[at]!.end;
  }
  return until === start + ARENA;
}

function mappingsOf(smaps: string): readonly Mapping[] {
  const mappings: Mapping[] = [];
  let head: RegExpExecArray | undefined;
  for (const line of smaps.split('\n')) {
    head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? head;
    const resident = /^Rss: +(\d+) kB$/.exec(line);
    if (head === undefined || resident === null) continue;
    const [, start, end, rights, name] = head;
    mappings.push({
      start: Number.parseInt(start!, 16),
      end: Number.parseInt(end!, 16),
      rights: rights!,
      name: name!,
      resident: Number(resident[1]) * 1024,
    });
  }
  return mappings;
}
