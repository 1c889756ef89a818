/** The lifecycle policy of a repository, as it is stored. */
import { documentKind } from "./documents.ts";

/** Name and owner: the repository. */
export const lifecyclePolicyKind = documentKind<{ text: string }>("lifecycle-policy", "region");
