import { session } from './session.ts';

/** The management side said no, or nothing. */
export class AskError extends Error {
  /** HTTP's status; 0 where there was no answer. */
  readonly status: number;
  /** A code of Glacis where the answer has one. */
  readonly code: string | undefined;

  constructor(status: number, message: string, code?: string) {
    super(message);
    this.name = 'AskError';
    this.status = status;
    this.code = code;
  }
}

/** Milliseconds after which a question is given up. */
const PATIENCE = 30_000;

/** Milliseconds without a touch after which nobody is taken to be there: what is asked then keeps no session alive. */
const IDLE = 60_000;
let touched = Date.now();
for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel'])
  globalThis.addEventListener?.(
    kind,
    () => {
      touched = Date.now();
    },
    { capture: true, passive: true },
  );

/** Reads a path of the management side. Errors: {@link AskError}, an `AbortError` where the signal says so. */
export function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  return fetchJson<T>(path, { signal: signal ?? null });
}

/** Does something: a POST (or another method) with a JSON body and the session's proof against forged requests. Errors: {@link AskError}. */
export function tell<T>(
  path: string,
  body: unknown = {},
  method: 'POST' | 'DELETE' | 'PUT' = 'POST',
): Promise<T> {
  return fetchJson<T>(path, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-glacis-csrf': session.get()?.csrf ?? 'none' },
  });
}

/** A text, such as a receipt. */
export async function askText(path: string, signal?: AbortSignal): Promise<string> {
  return (await fetchChecked(path, { signal: signal ?? null })).text();
}

async function fetchJson<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetchChecked(path, init);
  if (answer.status === 204) return undefined as T;
  try {
    return (await answer.json()) as T;
  } catch {
    throw new AskError(
      answer.status,
      'The answer is no JSON. Something between this page and Glacis changed it.',
    );
  }
}

async function fetchChecked(path: string, init: RequestInit): Promise<Response> {
  const patience = AbortSignal.timeout(PATIENCE);
  const signal = init.signal ? AbortSignal.any([init.signal, patience]) : patience;
  let answer: Response;
  try {
    const headers = { ...init.headers, ...(Date.now() - touched > IDLE && { 'x-glacis-idle': '1' }) };
    answer = await fetch(path, { ...init, headers, signal, credentials: 'same-origin', redirect: 'error' });
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    if (patience.aborted) throw new AskError(0, `Glacis did not answer within ${PATIENCE / 1000} seconds.`);
    throw new AskError(0, 'Glacis does not answer. Does it still run?');
  }
  if (answer.ok) return answer;
  // A session that ended while its page was open: the page of sign-in takes over.
  if (answer.status === 401 && session.get() !== null) session.set(null);
  throw await errorOf(answer);
}

/** What went wrong, in a sentence that the server gave, or one about the status. */
async function errorOf(answer: Response): Promise<AskError> {
  const given = (await answer.json().catch(() => undefined)) as
    | { error?: unknown; code?: unknown; message?: unknown }
    | undefined;
  const text = [given?.error, given?.message].find((each) => typeof each === 'string');
  const code = typeof given?.code === 'string' ? given.code : undefined;
  return new AskError(answer.status, text ?? WORDS[answer.status] ?? `It answered ${answer.status}.`, code);
}

const WORDS: Readonly<Record<number, string>> = {
  401: 'You are signed out.',
  403: 'You may not do this. Ask somebody with the right role.',
  404: 'There is nothing here any more.',
  409: 'Somebody else changed it in the meantime. Look again, then decide.',
  429: 'Too many questions at once. Wait a moment.',
  503: 'This part is not available now.',
};
