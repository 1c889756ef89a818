/** Who is signed in, for every page below the shell. */
import { createContext, useContext } from "react";
import type { SessionAnswer } from "../../src/console/api-types.ts";

export interface SignedIn {
  readonly session: SessionAnswer;
  /** Asks the server again: after a role was assumed, for example. */
  readonly reload: () => Promise<void>;
}

export const SessionContext = createContext<SignedIn | undefined>(undefined);

export function useSession(): SignedIn {
  const signedIn = useContext(SessionContext);
  if (signedIn === undefined) throw new Error("nobody is signed in");
  return signedIn;
}
