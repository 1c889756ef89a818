/** While a simulation runs, whoever asks the real clock or real chance is found at once. */
const names = ["setTimeout", "setInterval", "fetch"] as const;

/** @param onUnhandled told of rejections that nobody handles: they would end a server */
export async function frozenGlobals<T>(
  work: () => Promise<T>,
  onUnhandled: (error: unknown) => void,
): Promise<T> {
  const forbidden = (name: string) => () => {
    throw new Error(`${name} was used in a simulation`);
  };
  const globals = globalThis as unknown as Record<string, unknown>;
  const saved = names.map((name) => [name, globals[name]] as const);
  const { now } = Date;
  const { random } = Math;
  for (const name of names) globals[name] = forbidden(name);
  Date.now = forbidden("Date.now");
  Math.random = forbidden("Math.random");
  process.on("unhandledRejection", onUnhandled);
  try {
    return await work();
  } finally {
    process.off("unhandledRejection", onUnhandled);
    for (const [name, value] of saved) globals[name] = value;
    Date.now = now;
    Math.random = random;
  }
}
