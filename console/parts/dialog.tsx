import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { IconButton } from './button.tsx';

/** A window over the page: the rest cannot be reached while it is open, Escape closes it, and the focus goes back to where it was. */
export function Dialog({
  title,
  children,
  onClose,
  narrow = false,
  kind = 'window',
}: {
  readonly title: ComponentChildren;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  readonly narrow?: boolean;
  readonly kind?: 'window' | 'drawer' | 'palette';
}) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Before anything is painted: what is typed right after a key opened the window must reach it.
  useLayoutEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the window closes it; with the keyboard Escape does, by the browser itself.
    <dialog
      ref={element}
      class={`dialog ${kind}${narrow ? ' narrow' : ''}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div class="dialog-inside">
        <header class={kind === 'palette' ? 'unseen' : ''}>
          <h2 id={heading}>{title}</h2>
          {kind !== 'palette' && <IconButton icon="close" label="Close" onPress={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}
