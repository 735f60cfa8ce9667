import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, release, type } from 'node:os';
import type { Engine } from '../runtime/engine.ts';
import type { Environment } from './result.ts';

/** What an assessment runs on, as its result records it. */
export function environmentOf(engine: Pick<Engine, 'device' | 'threads'>): Environment {
  return {
    glacis: glacisVersion(),
    onnxruntime: runtimeVersion(),
    node: process.versions.node,
    os: `${type()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() || 'unknown',
    threads: engine.threads,
    device: engine.device,
  };
}

/** Version of this package. */
export function glacisVersion(): string {
  return versionIn(new URL('../../package.json', import.meta.url));
}

/** Version of the installed ONNX Runtime. */
export function runtimeVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}

function versionIn(manifest: URL | string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
