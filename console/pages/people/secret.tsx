import { useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Text } from '../../parts/text.tsx';

/** A new key's text, this once: it is in no answer again, and gone from this page when the window is closed. */
export function SecretDialog({
  text,
  principal,
  onClose,
}: {
  readonly text: string;
  readonly principal: string;
  readonly onClose: () => void;
}) {
  const [copied, setCopied] = useState(false);
  const [kept, setKept] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <Dialog
      title="The key, shown this once"
      onClose={() => (kept || copied ? onClose() : setKept(false))}
      narrow
    >
      <p>
        For{' '}
        <b>
          <Text of={principal} />
        </b>
        . Glacis keeps only a hash of it: whoever loses it needs another.
      </p>
      <p class="secret">
        <code>{text}</code>
      </p>
      <div class="actions">
        <Button icon={copied ? 'done' : 'copy'} tone="main" onPress={copy}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <label class="tick kept">
        <input type="checkbox" checked={kept} onChange={(event) => setKept(event.currentTarget.checked)} />
        <span>I have kept it where it belongs</span>
      </label>
      <div class="actions end">
        <Button disabled={!kept} onPress={onClose}>
          <Icon name="close" size={15} />
          Close
        </Button>
      </div>
    </Dialog>
  );
}
