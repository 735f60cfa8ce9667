import { listSupportedBackends } from 'onnxruntime-node';
import { GlacisError } from '../core/error.ts';

/** Where a graph runs. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;

/** One of {@link DEVICES}. */
export type Device = (typeof DEVICES)[number];

/** The devices that the installed runtime was built for; whether the hardware is there shows when a session opens. */
export function availableDevices(): readonly Device[] {
  const names = new Set(listSupportedBackends().map((b) => b.name));
  return DEVICES.filter((d) => names.has(d));
}

/** Reads `--device`. Errors: `option/invalid` for a name Glacis does not know, `device/unavailable` for one this runtime lacks. */
export function deviceFrom(name: string): Device {
  const device = DEVICES.find((d) => d === name);
  if (!device)
    throw new GlacisError('option/invalid', `--device: expected ${DEVICES.join(', ')}, got '${name}'`);
  const available = availableDevices();
  if (!available.includes(device)) {
    throw new GlacisError(
      'device/unavailable',
      `--device ${device}: the installed ONNX Runtime has ${available.join(', ')} on this system; see docs/devices.md for how to add others`,
    );
  }
  return device;
}
