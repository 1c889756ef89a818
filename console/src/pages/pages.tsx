/**
 * The table of pages: the pattern of an address, and the page that is loaded when it is first
 * opened. Named groups become the parameters of the page.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

export interface PageProps {
  /** What the address says, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

type Page = LazyExoticComponent<ComponentType<PageProps>>;

interface PageEntry {
  readonly pattern: RegExp;
  readonly page: Page;
}

export const pages: readonly PageEntry[] = [
  { pattern: /^\/$/, page: lazy(() => import("./chart/chart-page.tsx")) },
  {
    pattern: /^\/repositories\/?$/,
    page: lazy(() => import("./repositories/repositories-page.tsx")),
  },
  {
    pattern: /^\/repositories\/(?<repository>.+)\/-\/(?<digest>[^/]+)$/,
    page: lazy(() => import("./image/image-page.tsx")),
  },
  {
    pattern: /^\/repositories\/(?<repository>.+)$/,
    page: lazy(() => import("./images/images-page.tsx")),
  },
];

/** Undefined for an address that is no page's. */
export function findPage(
  path: string,
): { page: Page; parameters: Record<string, string> } | undefined {
  for (const { pattern, page } of pages) {
    const match = pattern.exec(path);
    if (match === null) continue;
    try {
      const parameters = Object.fromEntries(
        Object.entries(match.groups ?? {}).map(([name, value]) => [
          name,
          decodeURIComponent(value),
        ]),
      );
      return { page, parameters };
    } catch {
      // A percent sign that encodes nothing.
      return undefined;
    }
  }
  return undefined;
}
