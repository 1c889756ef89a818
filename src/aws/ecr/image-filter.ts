/** Which images a list is about. Without a filter only those that can be pulled, as in ECR. */
import * as v from "valibot";
import type { ImageFilter } from "../../metadata/queries/images.ts";
import { optional } from "./shapes.ts";

export const imageFilter = optional(
  v.object({
    tagStatus: optional(v.picklist(["TAGGED", "UNTAGGED", "ANY"])),
    imageStatus: optional(v.picklist(["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])),
  }),
);

type Input = v.InferOutput<typeof imageFilter>;

/** Undefined when no image can be meant: a restore takes no time here, so none is under way. */
export function imageFilterOf(filter: Input): ImageFilter | undefined {
  const tagStatus = filter?.tagStatus ?? "ANY";
  switch (filter?.imageStatus ?? "ACTIVE") {
    case "ACTIVE":
      return { tagStatus, storageClass: "STANDARD" };
    case "ARCHIVED":
      return { tagStatus, storageClass: "ARCHIVE" };
    case "ANY":
      return { tagStatus };
    case "ACTIVATING":
      return undefined;
  }
}
