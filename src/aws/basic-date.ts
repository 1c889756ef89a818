/** Dates as Signature Version 4 writes them: `20270115T080000Z`. */

export function formatBasicDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/** Milliseconds since the Unix epoch; undefined when it is no such date. */
export function parseBasicDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Some engines roll the 31st of a short month over to the next one.
  return formatIfValid(milliseconds) === text ? milliseconds : undefined;
}

/** As in the `Date` header: `Fri, 15 Jan 2027 08:00:00 GMT`. */
export function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) {
    return undefined;
  }
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function formatIfValid(milliseconds: number): string | undefined {
  return Number.isNaN(milliseconds) ? undefined : formatBasicDate(milliseconds);
}
