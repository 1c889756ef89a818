/** What was done, told above the page for whoever looks elsewhere. */
import Flashbar, { type FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { useText } from "../text/text.tsx";

interface Notices {
  readonly add: (type: "success" | "error" | "warning", content: ReactNode) => void;
}

const Context = createContext<Notices | undefined>(undefined);
const Shown = createContext<readonly FlashbarProps.MessageDefinition[]>([]);
const noticesLimit = 5;

export function useNotices(): Notices {
  const notices = useContext(Context);
  if (notices === undefined) throw new Error("there is no NoticesProvider");
  return notices;
}

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<readonly FlashbarProps.MessageDefinition[]>([]);
  const { dismiss: dismissLabel } = useText();
  const add = useCallback<Notices["add"]>(
    (type, content) => {
      const id = crypto.randomUUID();
      const dismiss = () => setItems((before) => before.filter((item) => item.id !== id));
      const item = { id, type, content, dismissible: true, dismissLabel, onDismiss: dismiss };
      setItems((before) => [item, ...before].slice(0, noticesLimit));
    },
    [dismissLabel],
  );
  const notices = useMemo(() => ({ add }), [add]);
  return (
    <Context value={notices}>
      <Shown value={items}>{children}</Shown>
    </Context>
  );
}

export function ShownNotices() {
  return <Flashbar items={useContext(Shown)} stackItems />;
}
