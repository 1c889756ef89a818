/** Keeps the session while somebody uses the page, and lets it end when nobody does. */
import { useEffect } from "react";
import { api } from "../api.ts";
import { useSession } from "../session.ts";

const checkMilliseconds = 60_000;

export function useRenewal(): void {
  const { session } = useSession();
  useEffect(() => {
    let expiresAt = session.expiresAt;
    let lastUse = Date.now();
    const length = session.expiresAt - Date.now();
    const used = () => {
      lastUse = Date.now();
    };
    const events = ["pointerdown", "keydown", "wheel"] as const;
    for (const event of events) window.addEventListener(event, used, { passive: true });
    const timer = setInterval(() => {
      const left = expiresAt - Date.now();
      const wasUsed = Date.now() - lastUse < length / 2;
      if (left > length / 2 || !wasUsed || expiresAt >= session.renewableUntil) return;
      api.post<{ expiresAt: number }>("session/renewal").then(
        (answer) => {
          expiresAt = answer.expiresAt;
        },
        // Tried again in a minute; a session that has ended is told by the call itself.
        () => {},
      );
    }, checkMilliseconds);
    return () => {
      clearInterval(timer);
      for (const event of events) window.removeEventListener(event, used);
    };
  }, [session.expiresAt, session.renewableUntil]);
}
