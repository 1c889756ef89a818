/**
 * A lifecycle policy as it was found good: which images of a repository are expired or archived.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 */
import type { StorageClass } from "../../metadata/queries/images.ts";

export interface LifecycleRule {
  /** Rules are applied from the smallest to the largest. */
  readonly priority: number;
  readonly tagStatus: "tagged" | "untagged" | "any";
  /** Wildcards; each must match a tag of the image. */
  readonly tagPatterns: readonly string[];
  /** The class of the images that it is about. */
  readonly storageClass: StorageClass;
  readonly countType:
    | "imageCountMoreThan"
    | "sinceImagePushed"
    | "sinceImagePulled"
    | "sinceImageTransitioned";
  /** Images, or days. */
  readonly countNumber: number;
  readonly action: LifecycleAction;
}

export type LifecycleAction = "expire" | "archive";

/** What a rule does with an image. */
export interface LifecycleDecision<Image> {
  readonly image: Image;
  readonly rulePriority: number;
  readonly action: LifecycleAction;
}
