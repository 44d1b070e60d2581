// Speaks to a server in one revision, by fetch and by hand, and sees every message that it sends.

const ANSWER_MS = 10_000;
const STREAM_MS = 5_000;

/// The events of a body: {event, id, data}, as they come.
async function* events(body) {
  let text = '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = {};
      for (const line of text.slice(0, end).split('\n')) {
        const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (name) event[name] = name === 'data' && 'data' in event ? `${event.data}\n${value}` : value;
      }
      text = text.slice(end + 2);
      yield event;
    }
  }
}

const JSON_TYPES = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/// What a client can declare, since when.
const CAPABILITIES = [
  ['2024-11-05', { sampling: {}, roots: {} }],
  ['2025-06-18', { sampling: {}, roots: {}, elicitation: {} }],
  ['2025-11-25', { sampling: {}, roots: {}, elicitation: { form: {}, url: {} } }],
];

/// One client. `seen(message, method)` is called with every message of the server, `answer(request)` gives the result for its requests.
export class Wire {
  #id = 0;
  #waiting = new Map();
  #stop = new AbortController();
  #headers = {};
  #endpoint;

  constructor(base, revision, seen, answer) {
    Object.assign(this, { base, revision, seen, answer });
    this.modern = revision === '2026-07-28';
    this.oldest = revision === '2024-11-05';
    this.capabilities = CAPABILITIES.findLast(([since]) => since <= revision)[1];
  }

  /// Introduces itself, where the revision wants that: the result.
  async open() {
    if (this.modern) return this.request('server/discover');
    if (this.oldest) await this.#openOldest();
    const hello = { protocolVersion: this.revision, capabilities: this.capabilities, clientInfo: { name: 'schemas', version: '1' } };
    const result = await this.request('initialize', hello);
    await this.notify('notifications/initialized');
    if (!this.oldest) await this.#stream({ method: 'GET', headers: { accept: 'text/event-stream', ...this.#headers } });
    return result;
  }

  /// The stream of 2024-11-05, whose first event says where to post.
  async #openOldest() {
    const response = await fetch(`${this.base}/sse`, { headers: { accept: 'text/event-stream' }, signal: this.#stop.signal });
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('no endpoint event')), STREAM_MS).unref();
      this.#read(response.body, (event) => {
        if (event.event !== 'endpoint') return false;
        this.#endpoint = new URL(event.data, this.base).href;
        resolve();
        return true;
      });
    });
  }

  /// Opens a stream of the server's, and reads it until the end of this client.
  async #stream(init, method) {
    const response = await fetch(`${this.base}/mcp`, { ...init, signal: this.#stop.signal });
    if (!response.ok) throw new Error(`status of the stream: ${response.status} ${await response.text()}`);
    this.#read(response.body, () => false, method);
  }

  async #read(body, special, method) {
    try {
      for await (const event of events(body)) if (!special(event) && event.data) this.#message(JSON.parse(event.data), method);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.seen({ broken: String(error) });
    }
  }

  #message(message, method) {
    if (Array.isArray(message)) return message.forEach((one) => this.#message(one));
    if ('method' in message) {
      this.seen(message);
      if ('id' in message) this.answer(message).then((answer) => this.#post({ jsonrpc: '2.0', id: message.id, ...answer }));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.seen(message, waiting?.method ?? method);
    this.#waiting.delete(message.id);
    waiting?.done(message);
  }

  /// What a request of the newest revision carries in each request.
  meta() {
    return {
      'io.modelcontextprotocol/protocolVersion': this.revision,
      'io.modelcontextprotocol/clientInfo': { name: 'schemas', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': this.capabilities,
    };
  }

  async notify(method, params) {
    await this.#post({ jsonrpc: '2.0', method, params });
  }

  /// A request: the message that answers it, or nothing where the stream ended before.
  async request(method, params, headers = {}) {
    const id = ++this.#id;
    const body = { jsonrpc: '2.0', id, method, ...(params || this.modern ? { params: { ...params } } : {}) };
    if (this.modern) {
      body.params._meta = { ...this.meta(), ...params?._meta };
      headers = { ...headers, 'mcp-method': method };
      const name = method.startsWith('tasks/') ? params.taskId : params?.name ?? params?.uri;
      if (/^(tools\/call|prompts\/get|resources\/read|tasks\/.*)$/.test(method)) headers['mcp-name'] = encoded(name);
    }
    const answered = new Promise((done) => this.#waiting.set(id, { method, done }));
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`${method}: no answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS).unref());
    const ended = this.#post(body, headers).then((whole) => (this.#endpoint || whole === 202 ? answered : undefined));
    return Promise.race([answered, ended, late]);
  }

  /// Several requests in one body, as 2025-03-26 has it: the messages that answer them.
  async batch(methods) {
    const requests = methods.map((method) => ({ jsonrpc: '2.0', id: ++this.#id, method }));
    const answers = requests.map(({ id, method }) => new Promise((done) => this.#waiting.set(id, { method, done })));
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('no answer to a batch')), ANSWER_MS).unref());
    await this.#post([...requests, { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }]);
    return Promise.race([Promise.all(answers), late]);
  }

  /// A listener of the newest revision.
  async listen(notifications) {
    const body = { jsonrpc: '2.0', id: 'listener', method: 'subscriptions/listen', params: { notifications, _meta: this.meta() } };
    const headers = { ...JSON_TYPES, 'mcp-protocol-version': this.revision, 'mcp-method': 'subscriptions/listen' };
    await this.#stream({ method: 'POST', headers, body: JSON.stringify(body) }, 'subscriptions/listen');
  }

  /// Posts a message and reads all that comes of it.
  async #post(body, headers = {}) {
    const response = await fetch(this.#endpoint ?? `${this.base}/mcp`, {
      method: 'POST',
      headers: { ...JSON_TYPES, ...this.#headers, ...(this.modern ? { 'mcp-protocol-version': this.revision } : {}), ...headers },
      body: JSON.stringify(body),
      signal: this.#stop.signal,
    });
    const session = response.headers.get('mcp-session-id');
    if (session) this.#headers = { 'mcp-session-id': session, 'mcp-protocol-version': this.revision };
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) await this.#read(response.body, () => false, body.method);
    else {
      const text = await response.text();
      if (text && response.headers.get('content-type')?.startsWith('application/json')) this.#message(JSON.parse(text), body.method);
    }
    return response.status;
  }

  /// Ends all its streams.
  close() {
    this.#stop.abort();
  }
}

/// A header's value: as it is, or in Base64 where it holds more than visible ASCII.
function encoded(value) {
  return /^[!-~]*$/.test(value) ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
}
