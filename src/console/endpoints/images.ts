/** Images of a repository, newest first. */
import * as v from "valibot";
import { searchImages } from "../../registry/search-images.ts";
import type { ImagesAnswer } from "../api-types.ts";
import { defineEndpoint } from "../endpoint.ts";
import { imageSummary, listedTagsLimit } from "../image-summary.ts";
import {
  account,
  accountOf,
  after,
  cursorText,
  limit,
  onRepository,
  repository,
  searchText,
} from "../input.ts";

export const getImages = defineEndpoint({
  name: "console.get-images",
  method: "GET",
  path: "images",
  summary: "Images that have a tag which contains a text, a page of them in the order of pushes.",
  input: v.object({
    account,
    repository,
    search: searchText,
    tagStatus: v.optional(v.picklist(["ANY", "TAGGED", "UNTAGGED"]), "ANY"),
    direction: v.optional(v.picklist(["ascending", "descending"]), "descending"),
    after,
    limit,
  }),
  permissions: (call, input) => onRepository(call, input, "DescribeImages"),
  async handle(call, input): Promise<ImagesAnswer> {
    call.context.log.repository = input.repository;
    const { images, count, next } = await searchImages(
      call.services.registry,
      { account: accountOf(call, input), repository: input.repository },
      { tag: input.search, tagStatus: input.tagStatus, direction: input.direction },
      { after: input.after, limit: input.limit },
    );
    return {
      images: images.map((image) => imageSummary(image, listedTagsLimit)),
      count,
      ...(next !== undefined && { next: cursorText(next) }),
    };
  },
});
