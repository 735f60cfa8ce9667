import { useEffect, useRef, useState } from 'preact/hooks';
import { askText } from '../../data/ask.ts';
import { useQuery } from '../../data/query.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { exact } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading } from '../../parts/loading.tsx';
import { Text } from '../../parts/text.tsx';
import { type LogTrust, type Verdict, verifyReceipt } from '../../proof/verify-receipt.ts';
import { failed } from '../../shell/toast.tsx';
import { ProofPicture } from './proof-picture.tsx';

const WORDS = {
  holds: ['held', 'The receipt holds'],
  partly: ['warn', 'What could be checked holds'],
  fails: ['changed', 'The receipt does not hold'],
} as const;

const MARKS = { good: 'done', bad: 'close', unchecked: 'clock' } as const;

/** Largest trust file of a person's own, in characters. */
const MOST_TRUST = 1 << 20;

/** Checks here, in the browser, that an entry stands in the log: step by step, with a picture. `text` is the entry's bytes as the log has them. */
export function ReceiptCard({ entry, text }: { readonly entry: number; readonly text: string }) {
  const server = useQuery<LogTrust>('/api/trust');
  const [own, setOwn] = useState<LogTrust | undefined>();
  const [receipt, setReceipt] = useState<string | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const [altered, setAltered] = useState<string | undefined>();
  const [verdict, setVerdict] = useState<Verdict | undefined>();
  const trust = own ?? server.data;
  const load = (): void => {
    setProblem(undefined);
    askText(`/api/receipts/${entry}`).then(setReceipt, (thrown: Error) => setProblem(thrown.message));
  };
  useEffect(load, [entry]);
  const shown = altered ?? text;
  useEffect(() => {
    if (receipt === undefined || trust === undefined) return;
    let gone = false;
    void verifyReceipt(receipt, shown, trust).then((found) => {
      if (!gone) setVerdict(found);
    });
    return () => {
      gone = true;
    };
  }, [receipt, trust, shown]);
  const title = 'Proof that it stands in the log';
  if (problem !== undefined)
    return (
      <Card title={title}>
        <p>{problem}</p>
        <p class="muted">
          An entry has a receipt as soon as the log’s next checkpoint is signed, within a second as a rule.
        </p>
        <div class="actions">
          <Button onPress={load}>Try again</Button>
        </div>
      </Card>
    );
  if (verdict === undefined || receipt === undefined)
    return (
      <Card title={title}>
        <Loading what="the receipt" />
      </Card>
    );
  const [tone, words] = WORDS[verdict.verdict];
  return (
    <Card
      title={title}
      tone={tone === 'changed' ? 'alarmed' : 'held'}
      side={<Badge tone={tone}>{words}</Badge>}
      lead="Checked by this browser, not by the server: the entry’s hash must lead to the root that the log has signed."
    >
      <div class="receipt">
        <ol class="checks" aria-label="Steps of the check" aria-live="polite">
          {verdict.checks.map(({ id, title: name, state, text: said }, i) => (
            <li key={`${id}${i}`} class={state}>
              <Icon name={MARKS[state]} size={17} />
              <div>
                <b>{name}</b>
                <span class="unseen">
                  {state === 'good' ? ': right. ' : state === 'bad' ? ': wrong. ' : ': not checked. '}
                </span>
                <p class="muted">
                  <Text of={said} most={300} />
                </p>
              </div>
            </li>
          ))}
          {verdict.at !== undefined && <li class="muted small signed">Signed on {exact(verdict.at)}.</li>}
        </ol>
        <ProofPicture of={verdict} />
      </div>
      <details>
        <summary>Try to cheat</summary>
        <p class="muted">
          Change any character of the entry: the same proof no longer leads to the signed root. Nothing is
          sent anywhere.
        </p>
        <textarea
          class="raw"
          rows={7}
          spellcheck={false}
          aria-label="The entry’s bytes, to be changed"
          value={shown}
          onInput={(event) => setAltered(event.currentTarget.value)}
        />
        {altered !== undefined && (
          <div class="actions">
            <Button small onPress={() => setAltered(undefined)}>
              As it was
            </Button>
          </div>
        )}
      </details>
      <details>
        <summary>Whom does this believe?</summary>
        <p class="muted">
          The key that the log is checked with comes from{' '}
          {own
            ? 'your own file'
            : 'this server, which could lie about it. Take the trust file that you keep elsewhere'}
          .
        </p>
        <p>
          {trust?.keys.map((key) => (
            <code key={key} class="key-line">
              <Text of={key} most={110} />
            </code>
          ))}
        </p>
        <TrustFile onTrust={setOwn} />
        {own && (
          <div class="actions">
            <Button small onPress={() => setOwn(undefined)}>
              The server’s again
            </Button>
          </div>
        )}
      </details>
      <div class="actions">
        <a
          class="button"
          download={`receipt-${entry}.txt`}
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(receipt)}`}
        >
          <Icon name="download" size={17} />
          Receipt
        </a>
        <span class="muted small">
          <code>glacis log prove --check</code> checks it without this server.
        </span>
      </div>
    </Card>
  );
}

function TrustFile({ onTrust }: { readonly onTrust: (trust: LogTrust) => void }) {
  const file = useRef<HTMLInputElement>(null);
  const take = async (given: File | undefined): Promise<void> => {
    try {
      if (given === undefined) return;
      if (given.size > MOST_TRUST) throw new Error('This file is too large to be a trust file.');
      onTrust(trustFrom(await given.text()));
    } catch (thrown) {
      failed(thrown);
    }
  };
  return (
    <>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        class="unseen"
        tabIndex={-1}
        aria-label="A trust file of your own"
        onChange={(event) => void take(event.currentTarget.files?.[0])}
      />
      <Button small onPress={() => file.current?.click()}>
        Take my own log.trust.json
      </Button>
    </>
  );
}

/** Reads a trust file. Throws an `Error` for people. */
function trustFrom(text: string): LogTrust {
  const refuse = (): never => {
    throw new Error('This is no trust file of a log (log.trust.json).');
  };
  let given: Partial<Record<keyof LogTrust | 'schema', unknown>>;
  try {
    given = JSON.parse(text);
  } catch {
    return refuse();
  }
  const isTexts = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.length <= 64 && value.every((each) => typeof each === 'string');
  const { schema, origin, keys, witnesses = [], quorum } = given ?? {};
  if (schema !== 'glacis.log.trust/1' || typeof origin !== 'string' || !isTexts(keys) || !isTexts(witnesses))
    return refuse();
  return { origin, keys, witnesses, ...(typeof quorum === 'number' && { quorum }) };
}
