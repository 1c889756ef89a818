/** Lists the repositories of the registry, in byte order, page by page. */
import { repositoryArn } from "../../access/access.ts";
import { listRepositories, type NamePage } from "../../registry/list-tags.ts";
import type { Endpoint } from "../endpoint.ts";
import { pageSize, pageStart } from "../input.ts";
import { namesResponse } from "../names.ts";

export const listCatalog: Endpoint = {
  id: "catalog",
  name: "list-catalog",
  method: "GET",
  route: "catalog",
  action: "ecr:DescribeRepositories",
  documentation: {
    summary: "Lists the repositories that the caller may pull from, in byte order.",
    success: { 200: "a page, with a Link to the next when there is one" },
    query: { n: "how many at most", last: "begin behind this name, which need not exist" },
    errors: ["parameter_invalid"],
  },
  async handle({ query, context, access, caller, settings, account }) {
    const { catalogPageDefault, catalogPageLimit } = settings;
    const limit = pageSize(query.get("n"), catalogPageDefault, catalogPageLimit);
    const after = pageStart(query.get("last"));
    const isVisible = async (name: string) => {
      const resource = repositoryArn(context.region, account, name);
      return (await access.decide({ ...caller, action: "ecr:BatchGetImage", resource })).allowed;
    };
    // One more than is asked for tells whether there are more; whoever sees few of them looks at
    // larger pieces.
    let pieceLimit = Math.min(limit + 1, catalogPageLimit);
    const page = await visiblePage(isVisible, after, limit, (position) => {
      const piece = listRepositories(context, { account, after: position, limit: pieceLimit });
      pieceLimit = Math.min(pieceLimit * 4, catalogPageLimit);
      return piece;
    });
    return namesResponse({ repositories: page.names }, page, { path: "/v2/_catalog", limit });
  },
};

/**
 * Goes on until the page is full of names that the caller may see, so that the link to the next
 * page never tells the name of a repository that it may not.
 */
async function visiblePage(
  isVisible: (name: string) => Promise<boolean>,
  after: string,
  limit: number,
  list: (after: string) => Promise<NamePage>,
): Promise<NamePage> {
  const names: string[] = [];
  for (let position: string | undefined = after; position !== undefined && limit > 0; ) {
    const page = await list(position);
    for (const name of page.names) {
      if (!(await isVisible(name))) continue;
      if (names.length === limit) return { names, more: true };
      names.push(name);
    }
    position = page.more ? page.names.at(-1) : undefined;
  }
  return { names, more: false };
}
