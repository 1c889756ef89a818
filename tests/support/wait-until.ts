/** Waiting for a condition with a deadline, in place of sleeping and hoping. */

export interface WaitOptions {
  readonly deadlineMilliseconds?: number;
  readonly intervalMilliseconds?: number;
}

/**
 * Asks again and again until the answer is neither undefined nor false.
 * @param what completes the sentence "waited … for "
 * @throws when the deadline has passed; an error of the last question is its cause
 */
export async function waitUntil<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  { deadlineMilliseconds = 30_000, intervalMilliseconds = 50 }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + deadlineMilliseconds;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${deadlineMilliseconds} ms for ${what}`, { cause });
    }
    await Bun.sleep(intervalMilliseconds);
  }
}
