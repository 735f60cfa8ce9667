import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { readIfThere, writePrivate } from '../../gateway/record/log-folder.ts';
import {
  askWitness,
  folderMemory,
  formatVerifierKey,
  MOST_REQUEST_BYTES,
  openWitness,
  type Post,
  parseVerifierKey,
} from '../../ledger/index.ts';
import { logSigners, newLogKey } from '../../registry/log-key.ts';
import { visible } from '../../report/markup.ts';
import type { CommandRun } from '../command.ts';
import { prepareFolder } from '../output.ts';
import type { Outcome, Verb } from '../verbs.ts';
import { openFrom, trustFrom } from './open-log.ts';

/** Milliseconds that a witness may take to answer. */
const PATIENCE = 30_000;
const MOST_ANSWER_BYTES = 1 << 16;
const MOST_CONNECTIONS = 64;

/**
 * `glacis log witness LOG URL`: has the witness at an address cosign the log. `glacis log witness LOG FOLDER`: is a witness of the log, with its
 * keys and its memory in a folder, until it is stopped.
 */
export const witness: Verb = (run, [location = '', other = '']) =>
  /^https?:\/\//.test(other) ? ask(run, location, other) : serve(run, location, other);

async function ask({ given }: CommandRun, location: string, address: string): Promise<Outcome> {
  const texts = given.texts('witness-key');
  if (texts.length === 0)
    throw new GlacisError(
      'option/invalid',
      '--witness-key: expected NAME+ID+KEY of the witness, got nothing',
    );
  const keys = texts.map(parseVerifierKey);
  const { log, places } = await openFrom(given, location);
  const folder = places ? join(places.log, '..', 'witnessed') : undefined;
  const name = keys[0]!.name.replace(/[^\w.-]/g, '_');
  const kept = folder
    ? (await readdir(folder).catch(() => [])).filter((file) => file.startsWith(`${name}-`))
    : [];
  const seen = Math.max(0, ...kept.map((file) => Number(/-(\d{16})\.note$/.exec(file)?.[1] ?? 0)));
  const { note, checkpoint } = await askWitness(
    log,
    postTo(`${address.replace(/\/+$/, '')}/add-checkpoint`),
    keys,
    seen,
  );
  const out =
    given.text('out') ??
    (folder && join(folder, `${name}-${String(checkpoint.size).padStart(16, '0')}.note`));
  if (out === undefined)
    throw new GlacisError(
      'option/invalid',
      '--out: expected a FILE for the cosigned checkpoint, got nothing',
    );
  await prepareFolder(join(out, '..'));
  await writeAtomically(out, (write) => write(note));
  return {
    json: {
      schema: 'glacis.log.witnessed/1',
      size: checkpoint.size,
      by: keys.map((key) => key.name),
      file: out,
    },
    text: `${visible(out)}: ${checkpoint.size} entries, cosigned by ${visible(name)}\n`,
  };
}

function postTo(address: string): Post {
  return async (body) => {
    try {
      const response = await fetch(address, {
        method: 'POST',
        body: Buffer.from(body),
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE),
      });
      let text = '';
      for await (const part of response.body ?? []) {
        text += Buffer.from(part).toString('utf8');
        if (text.length > MOST_ANSWER_BYTES) throw new Error('it answers with too much');
      }
      return { status: response.status, text };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new GlacisError('endpoint/unavailable', `${address}: expected an answer, got ${reason}`, {
        cause,
      });
    }
  };
}

async function serve(run: CommandRun, location: string, folder: string): Promise<Outcome> {
  const { given, terminal, signal } = run;
  const name = given.text('name');
  if (name === undefined)
    throw new GlacisError('option/invalid', "--name: expected the witness's name, got nothing");
  // Only the log's keys count here; whether its files are good is what proofs show.
  const trust = location.endsWith('.json')
    ? await trustFrom(
        { ...given, text: (option) => (option === 'trust' ? location : given.text(option)) },
        undefined,
      )
    : (await openFrom(given, location)).trust;
  await prepareFolder(folder);
  const keyFile = given.text('key') ?? join(folder, 'witness-key.pem');
  let pem = await readIfThere(keyFile);
  if (pem === undefined) {
    pem = Buffer.from(newLogKey());
    await writePrivate(keyFile, pem);
  }
  const signers = logSigners(pem, name, keyFile).filter(({ algorithm }) => algorithm !== 'ed25519');
  const memory = await folderMemory(join(folder, 'seen'));
  const { addCheckpoint } = openWitness({
    signers,
    logs: new Map([[trust.origin, trust.keys]]),
    memory,
    now: () => new Date(),
  });
  const server = createServer({ requestTimeout: PATIENCE, headersTimeout: PATIENCE }, (request, response) => {
    const parts: Buffer[] = [];
    let length = 0;
    const reply = (status: number, type: string, body: string) => {
      if (response.headersSent) return;
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    };
    if (request.method !== 'POST' || request.url !== '/add-checkpoint')
      return reply(404, 'text/plain', 'expected POST /add-checkpoint\n');
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= MOST_REQUEST_BYTES) parts.push(part);
      else {
        reply(413, 'text/plain', 'the request is too large\n');
        request.destroy();
      }
    });
    request.on('error', () => {});
    request.on('end', () => {
      addCheckpoint(Buffer.concat(parts)).then(
        ({ status, type, body }) => reply(status, type, body),
        (thrown) => {
          terminal.say(`not cosigned: ${visible(thrown instanceof Error ? thrown.message : String(thrown))}`);
          reply(500, 'text/plain', 'the witness cannot sign now\n');
        },
      );
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  const port = given.whole('port', 0) ?? 8473;
  server.listen(port, given.text('host') ?? '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const at = typeof address === 'object' && address ? `http://${address.address}:${address.port}` : '';
  for (const signer of signers) terminal.print(`${formatVerifierKey(signer)}\n`);
  terminal.print(`a witness of ${visible(trust.origin)} at ${at}\n`);
  if (!signal.aborted) await once(signal, 'abort');
  server.closeAllConnections();
  server.close();
  memory.close();
  return { json: { schema: 'glacis.log.witness/1', origin: trust.origin }, text: 'stopped\n' };
}
