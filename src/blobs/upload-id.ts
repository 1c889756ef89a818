/** The names of stages. */

/** Upload ids are ours, but they come back in URLs: nothing but these characters names a stage. */
const pattern = /^[a-zA-Z0-9-]{1,96}$/;

export function isUploadId(text: string): boolean {
  return pattern.test(text);
}

/** @throws TypeError when it is malformed */
export function checkUploadId(text: string): string {
  if (!isUploadId(text)) throw new TypeError("malformed upload id");
  return text;
}
