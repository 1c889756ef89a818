/** Lists the repositories of the registry, in byte order, page by page. */
import { repositoryArn } from "../../access/access.ts";
import { listRepositories } from "../../registry/list-tags.ts";
import type { Endpoint } from "../endpoint.ts";
import { pageSize, pageStart } from "../input.ts";
import { namesResponse } from "../names.ts";

export const listCatalog: Endpoint = {
  id: "catalog",
  name: "list-catalog",
  method: "GET",
  route: "catalog",
  action: "ecr:DescribeRepositories",
  async handle({ query, context, access, caller, settings, account }) {
    const { catalogPageDefault, catalogPageLimit } = settings;
    const limit = pageSize(query.get("n"), catalogPageDefault, catalogPageLimit);
    const after = pageStart(query.get("last"));
    const page = await listRepositories(context, { account, after, limit });
    const visible: string[] = [];
    for (const name of page.names) {
      const resource = repositoryArn(context.region, account, name);
      const decision = await access.decide({ ...caller, action: "ecr:BatchGetImage", resource });
      if (decision.allowed) visible.push(name);
    }
    return namesResponse({ repositories: visible }, page, { path: "/v2/_catalog", limit });
  },
};
