/** Pages whose begin is told by the page before: forwards one by one, backwards at will. */
import { useState } from "react";

export interface CursorPages {
  /** `after` of the page that is shown. */
  readonly after: string | undefined;
  /** For Cloudscape's Pagination. */
  readonly pagination: {
    readonly currentPageIndex: number;
    readonly pagesCount: number;
    readonly openEnd: boolean;
  };
  readonly show: (page: number, next: string | undefined) => void;
}

/** @param key another key is another list, which begins with its first page */
export function useCursorPages(key: string, next: string | undefined): CursorPages {
  const [state, setState] = useState<{ key: string; page: number; cursors: readonly string[] }>({
    key,
    page: 1,
    cursors: [],
  });
  const { page, cursors } = state.key === key ? state : { page: 1, cursors: [] };
  const known = cursors.length + 1;
  return {
    after: cursors[page - 2],
    pagination: {
      currentPageIndex: page,
      pagesCount: page === known && next !== undefined ? known + 1 : known,
      openEnd: page === known && next !== undefined,
    },
    show(wanted, following) {
      const more = wanted > known && following !== undefined ? [...cursors, following] : cursors;
      setState({ key, page: Math.min(wanted, more.length + 1), cursors: more });
    },
  };
}
