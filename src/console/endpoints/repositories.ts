/** Repositories, found and sorted by the server. */
import * as v from "valibot";
import { searchRepositories } from "../../registry/search-repositories.ts";
import type { RepositoriesAnswer } from "../api-types.ts";
import { defineEndpoint } from "../endpoint.ts";
import {
  account,
  accountOf,
  after,
  cursorText,
  direction,
  limit,
  onRepository,
  searchText,
} from "../input.ts";

export const getRepositories = defineEndpoint({
  name: "console.get-repositories",
  method: "GET",
  path: "repositories",
  summary: "Repositories whose names contain a text, a page of them.",
  input: v.object({
    account,
    search: searchText,
    sort: v.optional(v.picklist(["name", "created"]), "name"),
    direction,
    after,
    limit,
  }),
  permissions: (call, input) =>
    onRepository(call, { ...input, repository: "*" }, "DescribeRepositories"),
  async handle(call, input): Promise<RepositoriesAnswer> {
    const { repositories, count, next } = await searchRepositories(
      call.services.registry,
      accountOf(call, input),
      // Names have small letters alone.
      { text: input.search.toLowerCase(), sort: input.sort, direction: input.direction },
      { after: input.after, limit: input.limit },
    );
    return {
      repositories: repositories.map(({ name, createdAt, images, pushedAt, tagMutability }) => ({
        name,
        createdAt,
        images,
        ...(pushedAt !== undefined && { pushedAt }),
        tagMutability,
      })),
      count,
      ...(next !== undefined && { next: cursorText(next) }),
    };
  },
});
