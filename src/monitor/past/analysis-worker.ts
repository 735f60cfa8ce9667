import { parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../core/error.ts';
import { type AnalysisSetting, openAnalysis } from './analysis.ts';
import type { AnalysisReply, AnalysisRequest } from './analysis-messages.ts';
import { openBatchReader } from './batch-sightings.ts';

const port = parentPort!;
const reader = openBatchReader();
const analysis = openAnalysis(workerData as AnalysisSetting);
const send = (reply: AnalysisReply): void => port.postMessage(reply);

port.on('message', (request: AnalysisRequest) => {
  try {
    if (request.kind === 'end') {
      send({ kind: 'end', end: analysis.end() });
      port.close();
      return;
    }
    const { batch } = request;
    const { skipped, features, labels } = batch;
    const sightings = reader.sightings(batch);
    send({ kind: 'seen', alarms: analysis.take({ sightings, skipped, features, labels }) });
  } catch (thrown) {
    const { code, message } = asGlacisError(thrown, 'run/failed', 'monitors of past decisions');
    send({ kind: 'failed', code, message });
    port.close();
  }
});
