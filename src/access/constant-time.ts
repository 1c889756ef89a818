/** Comparison of secrets, in a time that does not depend on where they differ. */
import { timingSafeEqual } from "node:crypto";

/** Only whether the lengths are equal can be learnt from the time it takes. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a, "utf8");
  const right = Buffer.from(b, "utf8");
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
