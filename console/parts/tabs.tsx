import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { setQuery, usePlace } from '../shell/router.tsx';

interface Tab {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly body: () => ComponentChildren;
}

/** Parts of a page of which one is seen. Which one is part of the address (`?tab=`); arrows go from one to the next. */
export function Tabs({
  tabs,
  label,
  name = 'tab',
}: {
  readonly tabs: readonly Tab[];
  readonly label: string;
  readonly name?: string;
}) {
  const { query } = usePlace();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const now = Math.max(
    0,
    tabs.findIndex((tab) => tab.id === query.get(name)),
  );
  const show = (i: number): void => {
    const next = (i + tabs.length) % tabs.length;
    setQuery({ [name]: next === 0 ? undefined : tabs[next]!.id });
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
  };
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={(event) => {
          const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          show(to);
        }}
      >
        {tabs.map((tab, i) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={i === now}
            aria-controls={`${id}-panel`}
            tabIndex={i === now ? 0 : -1}
            onClick={() => show(i)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tabs[now]?.id}`} tabIndex={-1}>
        {tabs[now]?.body()}
      </div>
    </>
  );
}
