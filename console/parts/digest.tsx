import { useState } from 'preact/hooks';
import { failed } from '../shell/toast.tsx';
import { Icon } from './icon.tsx';
import { plainText } from './text.tsx';

/** A digest or an id: its beginning, the whole on hover and to copy. */
export function Digest({ of, most = 12 }: { readonly of: string | undefined; readonly most?: number }) {
  const [copied, setCopied] = useState(false);
  if (of === undefined || of === '') return <span class="none">none</span>;
  const bare = of.replace(/^sha256:/, '');
  const copy = async (event: Event): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(of);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      failed(new Error('The browser did not let this page copy.'));
    }
  };
  return (
    <span class="digest">
      <code title={plainText(of)}>{plainText(bare.length > most ? `${bare.slice(0, most)}…` : bare)}</code>
      <button
        type="button"
        class="copy"
        aria-label={copied ? 'Copied' : `Copy ${plainText(bare.slice(0, 12))}`}
        title={copied ? 'Copied' : 'Copy'}
        onClick={copy}
      >
        <Icon name={copied ? 'done' : 'copy'} size={13} />
      </button>
    </span>
  );
}
