/** One event of a stream of server-sent events. */
export interface ServerEvent {
  type: string;
  data: string;
  /** The last id that the stream gave, this event's included. */
  id: string;
}

/** Takes a stream of server-sent events apart, however it is cut into pieces. */
export class EventParser {
  #decoder = new TextDecoder();
  #rest = '';
  #type = '';
  #data: string[] = [];
  #id = '';
  /** Milliseconds after which the server wants to be asked again, if it said so. */
  retry: number | undefined;

  /** Gives the events that this piece completes. */
  push(piece: Uint8Array): ServerEvent[] {
    const events: ServerEvent[] = [];
    this.#rest += this.#decoder.decode(piece, { stream: true });
    for (;;) {
      const end = this.#rest.search(/[\r\n]/);
      if (end < 0) return events;
      // A carriage return at the end may be the first half of a line end.
      if (this.#rest[end] === '\r' && end === this.#rest.length - 1) return events;
      const width = this.#rest.startsWith('\r\n', end) ? 2 : 1;
      const event = this.#line(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + width);
      if (event) events.push(event);
    }
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    switch (field) {
      case 'event':
        this.#type = value;
        break;
      case 'data':
        this.#data.push(value);
        break;
      case 'id':
        if (!value.includes('\0')) this.#id = value;
        break;
      case 'retry':
        if (/^\d+$/.test(value)) this.retry = Number(value);
        break;
    }
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    return empty ? undefined : event;
  }
}
