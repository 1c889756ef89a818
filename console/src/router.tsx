/** Addresses of pages below `/console/`, and moving between them without loading anew. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

export const consoleBase = "/console";

export interface Location {
  /** Without the base: `/repositories/team/app`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

function here(): Location {
  const { pathname, search } = window.location;
  const path = pathname.startsWith(consoleBase) ? pathname.slice(consoleBase.length) : pathname;
  return { path: path === "" ? "/" : path, query: new URLSearchParams(search) };
}

/** The registry that is looked at, when it is not the reader's own, goes along to every page. */
function withAccount(address: string, query: URLSearchParams): string {
  const account = query.get("account");
  if (account === null || /[?&]account=/.test(address)) return consoleBase + address;
  return `${consoleBase}${address}${address.includes("?") ? "&" : "?"}account=${encodeURIComponent(account)}`;
}

interface Router extends Location {
  readonly navigate: (address: string, options?: { replace?: boolean }) => void;
}

const Context = createContext<Router | undefined>(undefined);

export function useRouter(): Router {
  const router = useContext(Context);
  if (router === undefined) throw new Error("there is no RouterProvider");
  return router;
}

export function RouterProvider({ children }: { children: ReactNode }) {
  const [location, setLocation] = useState(here);
  useEffect(() => {
    const moved = () => setLocation(here());
    window.addEventListener("popstate", moved);
    return () => window.removeEventListener("popstate", moved);
  }, []);
  const router = useMemo(
    () => ({
      ...location,
      navigate(address: string, { replace = false } = {}) {
        const url = withAccount(address, here().query);
        if (replace) window.history.replaceState(null, "", url);
        else window.history.pushState(null, "", url);
        if (!replace) window.scrollTo(0, 0);
        setLocation(here());
      },
    }),
    [location],
  );
  return <Context value={router}>{children}</Context>;
}

/** Addresses of the pages, so that nobody writes them by hand. */
export const addresses = {
  chart: () => "/",
  repositories: () => "/repositories",
  repository: (name: string) => `/repositories/${name}`,
  image: (repository: string, digest: string) => `/repositories/${repository}/-/${digest}`,
};

/**
 * What Cloudscape's links need to be real links, to open in a new tab for example, and to move
 * without loading anew otherwise.
 */
export function useLink() {
  const { navigate, query } = useRouter();
  return (address: string) => ({
    href: withAccount(address, query),
    onFollow(event: CustomEvent<{ external?: boolean }>) {
      if (event.detail.external) return;
      event.preventDefault();
      navigate(address);
    },
  });
}
