import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';

/** The hardware and system that a figure belongs to. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Vector instruction sets that decide about speed, as Linux names them; empty where the system does not say. */
  readonly vector: readonly string[];
  readonly memoryBytes: number;
  readonly system: string;
}

const VECTOR_FLAGS = [
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_bf16',
  'asimd',
  'sve',
];

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    vector: VECTOR_FLAGS.filter((flag) => cpuFlags().has(flag)),
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()} ${arch()}`,
  };
}

function cpuFlags(): ReadonlySet<string> {
  if (process.platform !== 'linux') return new Set();
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return new Set(line?.[1]?.trim().split(/\s+/));
}
