/** What this program is called and which version it is. */
import description from "../package.json" with { type: "json" };

export const version: string = description.version;
