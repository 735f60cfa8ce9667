import { parentPort, workerData } from 'node:worker_threads';
import { asGlacisError } from '../../../core/error.ts';
import { openShelf } from './assessment-shelf.ts';
import type { ShelfReply, ShelfRequest } from './open-assessments.ts';

// The thread that `open-assessments.ts` starts: large JSON of anybody's is read here, where it keeps no request waiting.

const shelf = openShelf((workerData as { readonly folder: string }).folder);

const answer = async (request: ShelfRequest): Promise<string | undefined> => {
  switch (request.kind) {
    case 'rows':
      return JSON.stringify(await shelf.rows());
    case 'text':
      return shelf.text(request.of);
    case 'report':
      return shelf.report(request.of);
    case 'compare': {
      const found = await shelf.compare(request.of, request.with);
      return found && JSON.stringify(found);
    }
  }
};

let turn: Promise<unknown> = Promise.resolve();
parentPort!.on('message', (request: ShelfRequest & { readonly id: number }) => {
  turn = turn.then(async () => {
    let reply: ShelfReply;
    try {
      reply = { id: request.id, text: await answer(request) };
    } catch (thrown) {
      const { code, message } = asGlacisError(thrown, 'data/unreadable', 'assessments');
      reply = { id: request.id, code, message };
    }
    parentPort!.postMessage(reply);
  });
});
