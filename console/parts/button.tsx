import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { failed } from '../shell/toast.tsx';
import { Icon, type IconName } from './icon.tsx';
import { plainText } from './text.tsx';

interface Look {
  readonly tone?: 'main' | 'plain' | 'danger' | 'quiet';
  readonly icon?: IconName | undefined;
  readonly small?: boolean;
  readonly children?: ComponentChildren;
}

type ButtonProps = Look &
  Omit<JSX.IntrinsicElements['button'], 'onClick' | 'class' | 'children' | 'icon'> & {
    /** What it does. While a promise is open the button is busy; what it is rejected with is shown as a message. */
    readonly onPress: () => unknown;
    /** Whom or what it acts on, for those who hear one of several buttons of the same name by itself. */
    readonly about?: string;
  };

/** A button. `main` at most once in a card; `danger` for what callers feel at once. */
export function Button({
  tone = 'plain',
  icon,
  small,
  children,
  onPress,
  about,
  disabled,
  ...rest
}: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await onPress();
    } catch (thrown) {
      failed(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      {...rest}
      class={`button ${tone}${small ? ' small' : ''}`}
      aria-description={about && plainText(about)}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={press}
    >
      {icon && <Icon name={icon} size={small ? 15 : 17} />}
      <span>{children}</span>
    </button>
  );
}

/** A button that shows a drawing alone; `label` is what it is called. */
export function IconButton({
  icon,
  label,
  onPress,
  ...rest
}: { readonly icon: IconName; readonly label: string; readonly onPress: () => unknown } & Omit<
  JSX.IntrinsicElements['button'],
  'onClick' | 'class' | 'icon' | 'label' | 'children'
>) {
  return (
    <button
      type="button"
      {...rest}
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={() => onPress()}
    >
      <Icon name={icon} />
    </button>
  );
}
