/** What a handler may know about a request besides the web-standard Request itself. */
export interface RequestContext {
  /** Set by the server, returned as `X-Request-Id`, written to the log. */
  readonly requestId: string;
  /** The peer's address, without port. */
  readonly clientAddress: string;
  /** True when the connection is TLS. */
  readonly secure: boolean;
  /** Filled in by handlers, for the request log and the metrics. */
  readonly log: RequestLogFields;
}

export interface RequestLogFields {
  /** The endpoint's fixed name, such as `get-manifest`; never a value from the client. */
  endpoint?: string;
  /** ARN of the authenticated principal. */
  principal?: string;
  repository?: string;
  errorCode?: string;
  /** Bytes of the request's body that were read, when its length was not announced. */
  bytesReceived?: number;
  /** Bytes of the response's body, when it has no Content-Length. */
  bytesSent?: number;
}

export type Handler = (request: Request, context: RequestContext) => Promise<Response>;
