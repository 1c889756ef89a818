/** One stream of the server's events for all pages. */
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { ChangesEvent, ChartAnswer } from "../../../src/console/api-types.ts";
import { announceSignedOut, withQuery } from "../api.ts";

interface Live {
  /** False while the server cannot be reached. */
  readonly connected: boolean;
  readonly chart: ChartAnswer | undefined;
  readonly onChanges: (listener: (event: ChangesEvent) => void) => () => void;
}

const Context = createContext<Live | undefined>(undefined);

export function useLive(): Live {
  const live = useContext(Context);
  if (live === undefined) throw new Error("there is no LiveProvider");
  return live;
}

export function LiveProvider({ account, children }: { account: string; children: ReactNode }) {
  const [connected, setConnected] = useState(true);
  const [chart, setChart] = useState<ChartAnswer>();
  const listeners = useRef(new Set<(event: ChangesEvent) => void>());

  useEffect(() => {
    // Comes again by itself, with the id of the last event.
    const source = new EventSource(withQuery("/console/api/events", { account }));
    source.addEventListener("open", () => setConnected(true));
    source.addEventListener("error", () => setConnected(false));
    source.addEventListener("chart", ({ data }) => setChart(JSON.parse(data)));
    source.addEventListener("changes", ({ data }) => {
      const event: ChangesEvent = JSON.parse(data);
      for (const listener of listeners.current) listener(event);
    });
    source.addEventListener("signed-out", announceSignedOut);
    return () => {
      source.close();
      setChart(undefined);
    };
  }, [account]);

  const live = useMemo(
    () => ({
      connected,
      chart,
      onChanges(listener: (event: ChangesEvent) => void) {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
    }),
    [connected, chart],
  );
  return <Context value={live}>{children}</Context>;
}

/**
 * Calls when something changed in a repository, or in any when none is named.
 * @param isConcerned must not change from one rendering to the next without need
 */
export function useChanges(repository: string | undefined, onChange: () => void): void {
  const { onChanges } = useLive();
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(
    () =>
      onChanges(({ repositories, registry }) => {
        if (registry || repository === undefined || repositories.includes(repository)) {
          latest.current();
        }
      }),
    [onChanges, repository],
  );
}
