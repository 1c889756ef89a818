/** Loads what a view shows, and loads it again when the server says that it has changed. */
import { useCallback, useEffect, useRef, useState } from "react";

export interface Query<Data> {
  /** The newest that arrived; stays while it is loaded again. */
  readonly data: Data | undefined;
  readonly error: Error | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * @param key what the answer depends on: another key is another question, whose answer is awaited
 * @param load must stop at its signal
 */
export function useQuery<Data>(
  key: string,
  load: (signal: AbortSignal) => Promise<Data>,
): Query<Data> {
  const [state, setState] = useState<{ key: string; data?: Data; error?: Error; loading: boolean }>(
    { key, loading: true },
  );
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // Each round is a new question under the same key.
  const question = `${round} ${key}`;

  useEffect(() => {
    const asked = question.slice(question.indexOf(" ") + 1);
    const controller = new AbortController();
    setState((before) =>
      before.key === asked ? { ...before, loading: true } : { key: asked, loading: true },
    );
    latest.current(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ key: asked, data, loading: false });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        const known = error instanceof Error ? error : new Error(String(error));
        setState((before) => ({ ...before, error: known, loading: false }));
      },
    );
    return () => controller.abort();
  }, [question]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const isCurrent = state.key === key;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    loading: !isCurrent || state.loading,
    reload,
  };
}
