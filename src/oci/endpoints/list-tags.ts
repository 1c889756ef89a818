/** Lists the tags of a repository, in byte order, page by page. */
import { listTags } from "../../registry/list-tags.ts";
import type { Endpoint } from "../endpoint.ts";
import { pageSize, pageStart } from "../input.ts";
import { namesResponse } from "../names.ts";

export const listTagsEndpoint: Endpoint = {
  id: "end-8a, end-8b",
  name: "list-tags",
  method: "GET",
  route: "tags",
  action: "ecr:ListImages",
  documentation: {
    summary: "Lists the tags of a repository in byte order.",
    success: { 200: "a page, with a Link to the next when there is one" },
    query: { n: "how many at most", last: "begin behind this name, which need not exist" },
    errors: ["repository_unknown", "parameter_invalid"],
  },
  async handle({ query, context, settings, account, repository }) {
    const limit = pageSize(query.get("n"), settings.tagsPageLimit, settings.tagsPageLimit);
    const after = pageStart(query.get("last"));
    const page = await listTags(context, { account, repository }, { after, limit });
    return namesResponse({ name: repository, tags: page.names }, page, {
      path: `/v2/${repository}/tags/list`,
      limit,
    });
  },
};
