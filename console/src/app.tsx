/** Who is signed in decides what is shown: the page to sign in, or the shell with its pages. */
import Spinner from "@cloudscape-design/components/spinner";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { SessionAnswer } from "../../src/console/api-types.ts";
import { ApiFailure, api, onSignedOut } from "./api.ts";
import { PreferencesProvider } from "./preferences.tsx";
import { SessionContext } from "./session.ts";
import { useText } from "./text/text.tsx";

const SignInPage = lazy(() => import("./pages/sign-in/sign-in-page.tsx"));
const Shell = lazy(() => import("./shell/shell.tsx"));

export function App() {
  return (
    <PreferencesProvider>
      <SignedInOrNot />
    </PreferencesProvider>
  );
}

function SignedInOrNot() {
  const text = useText();
  const [session, setSession] = useState<SessionAnswer | "none">();
  const [problem, setProblem] = useState<string>();

  const load = useCallback(async () => {
    setProblem(undefined);
    try {
      setSession(await api.get<SessionAnswer>("session"));
    } catch (error) {
      if (error instanceof ApiFailure && error.code === "SignInRequired") setSession("none");
      else setProblem(error instanceof Error ? error.message : String(error));
    }
  }, []);
  useEffect(() => void load(), [load]);
  useEffect(() => onSignedOut(() => setSession("none")), []);
  const signedIn = session === "none" ? undefined : session;
  const context = useMemo(() => signedIn && { session: signedIn, reload: load }, [signedIn, load]);

  const waiting = (
    <main className="sign-in">
      <Spinner size="large" /> <span role="status">{problem ?? text.loading}</span>
    </main>
  );
  if (session === undefined) return waiting;
  return (
    <Suspense fallback={waiting}>
      {context === undefined ? (
        <SignInPage onSignedIn={load} />
      ) : (
        <SessionContext value={context}>
          <Shell />
        </SessionContext>
      )}
    </Suspense>
  );
}
