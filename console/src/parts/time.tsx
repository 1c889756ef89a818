/** A moment: as long ago as it is, or its date; the exact one on hover. */
import { useEffect, useState } from "react";
import { useFormat } from "./format.ts";

const refreshMilliseconds = 10_000;

/** The time of the reader's clock, renewed now and then. */
export function useNow(everyMilliseconds = refreshMilliseconds): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMilliseconds);
    return () => clearInterval(timer);
  }, [everyMilliseconds]);
  return now;
}

/** @param at milliseconds since the epoch */
export function Time({ at }: { at: number | undefined }) {
  const format = useFormat();
  const now = useNow();
  if (at === undefined) return <>–</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={format.exactTime(at)}>
      {format.ago(at, now) ?? format.shortTime(at)}
    </time>
  );
}
