import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { createStore, useStore } from '../data/store.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';

/** What a person is asked before something happens. */
export interface Question {
  /** What will be done, as a question: `Quarantine acme?` */
  readonly title: ComponentChildren;
  /** What happens then: who feels it, how it ends. */
  readonly children: ComponentChildren;
  /** The button's word: what is done, never `OK`. */
  readonly action: string;
  readonly tone?: 'main' | 'danger';
  /** A line that the person writes, such as the reason for the log. */
  readonly reason?: { readonly label: string; readonly required: boolean };
}

interface Open extends Question {
  readonly answer: (given: string | undefined) => void;
}

const open = createStore<Open | undefined>(undefined);

/** Asks a person: what they wrote (empty where nothing was asked for) where they go on, undefined where they do not. */
export function confirm(question: Question): Promise<string | undefined> {
  open.get()?.answer(undefined);
  return new Promise((resolve) => {
    open.set({
      ...question,
      answer: (given) => {
        open.set(undefined);
        resolve(given);
      },
    });
  });
}

/** Where questions appear. */
export function Confirms() {
  const question = useStore(open);
  return question && <Asked key={question.action} {...question} />;
}

function Asked({ title, children, action, tone = 'main', reason, answer }: Open) {
  const [text, setText] = useState('');
  const ready = reason?.required !== true || text.trim() !== '';
  return (
    <Dialog title={title} onClose={() => answer(undefined)} narrow>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) answer(text.trim());
        }}
      >
        <div class="consequences">{children}</div>
        {reason && (
          <label class="field">
            <span>
              {reason.label}
              {!reason.required && <span class="muted"> (optional)</span>}
            </span>
            <textarea
              rows={2}
              maxLength={1000}
              required={reason.required}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="actions end">
          <Button onPress={() => answer(undefined)}>Cancel</Button>
          <button type="submit" class={`button ${tone}`} disabled={!ready}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
