import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { letOthersGoFirst } from '../../core/thread-priority.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorKind, MonitorState } from '../monitor.ts';
import { chosenKinds } from './chosen-kinds.ts';
import { KINDS } from './kinds.ts';
import type { HubReply, HubRequest, HubWorkerData } from './messages.ts';
import type { MonitoredModel } from './monitored-model.ts';
import { unpackSightings } from './packed-sightings.ts';
import { openWatches } from './watches.ts';

/** Milliseconds between looks at who is suspicious, and the share of a threshold from which one is. */
const LOOK = 2000;
const SUSPICIOUS = 0.3;
const MOST_SUSPECTS = 64;

// A fit takes up to a second; what calls wait for must not share a core with it.
letOthersGoFirst();
const data = workerData as HubWorkerData;
const port = parentPort!;
const send = (reply: HubReply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer);
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
const kinds: readonly MonitorKind<any>[] =
  data.kindsFrom === undefined ? KINDS : (await import(data.kindsFrom)).KINDS;

let { choice } = data;
const described = new Map<string, MonitoredModel>();
const open = () =>
  openWatches({
    kindsOf: (model) => chosenKinds(kinds, choice, model),
    calibrationOf: (model) => (Object.hasOwn(choice.calibration, model) ? choice.calibration[model]! : {}),
    folder: data.folder,
    seed: data.seed,
    freshId: () => randomBytes(16).toString('hex'),
    now: Date.now,
  });
let watches = open();
const tell = (alarms: readonly Alarm[]): void => {
  if (alarms.length > 0) send({ kind: 'alarms', alarms });
};
const describe = (about: MonitoredModel): void => {
  described.delete(about.model);
  described.set(about.model, about);
  tell(watches.describe(about));
};
let looked = 0;
const suspects = (): readonly string[] | undefined => {
  const now = performance.now();
  if (now - looked < LOOK) return undefined;
  looked = now;
  return suspectsOf(watches.states());
};

for (const about of data.models) describe(about);
port.on('message', (request: HubRequest) => {
  switch (request.kind) {
    case 'sightings': {
      const { numbers, floats } = request.packed;
      tell(watches.see(unpackSightings(request.packed)));
      send({ kind: 'seen', numbers, floats, suspects: suspects() }, [
        numbers.buffer as ArrayBuffer,
        floats.buffer as ArrayBuffer,
      ]);
      break;
    }
    case 'labels':
      tell(watches.learn(request.labels));
      break;
    case 'model':
      describe(request.about);
      break;
    case 'choice':
      tell(watches.save());
      choice = request.choice;
      watches = open();
      for (const about of described.values()) tell(watches.describe(about));
      break;
    case 'states':
      send({ kind: 'answer', id: request.id, value: watches.states(request.model) });
      break;
    case 'samples':
      send({ kind: 'answer', id: request.id, value: watches.samples(request.model) });
      break;
    case 'save':
      tell(watches.save());
      send({ kind: 'answer', id: request.id, value: undefined });
      break;
    case 'close':
      tell(watches.save());
      send({ kind: 'answer', id: request.id, value: undefined });
      port.close();
      break;
  }
});
send({ kind: 'ready' });

/** Names of parts that come near a threshold: those that are principals are looked at more closely, those that are features are nobody's name. */
function suspectsOf(states: readonly MonitorState[]): readonly string[] {
  const found: string[] = [];
  for (const { threshold, parts } of states)
    for (const { name, score } of parts)
      if (threshold !== undefined && score >= SUSPICIOUS * threshold && found.length < MOST_SUSPECTS)
        found.push(name);
  return found;
}
