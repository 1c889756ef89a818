/** Notes which functions of an object were called, to prove that a suite leaves none out. */
export interface CallRecorder {
  readonly called: ReadonlySet<string>;
  /** The same functions, noted by their names when they are called. */
  record<T extends object>(functions: T): T;
}

export function callRecorder(): CallRecorder {
  const called = new Set<string>();
  return {
    called,
    record: (functions) =>
      new Proxy(functions, {
        get(target, name, receiver) {
          const value: unknown = Reflect.get(target, name, receiver);
          if (typeof value !== "function" || typeof name !== "string") return value;
          return (...parameters: unknown[]) => {
            called.add(name);
            return value(...parameters);
          };
        },
      }),
  };
}
