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
  async handle({ query, context, access, principal, settings, account }) {
    const { catalogPageDefault, catalogPageLimit } = settings;
    const limit = pageSize(query.get("n"), catalogPageDefault, catalogPageLimit);
    const after = pageStart(query.get("last"));
    const page = await listRepositories(context, { account, after, limit });
    const visible = page.names.filter(
      (name) =>
        access.decide(principal, "ecr:BatchGetImage", repositoryArn(context.region, account, name))
          .allowed,
    );
    return namesResponse({ repositories: visible }, page, { path: "/v2/_catalog", limit });
  },
};
