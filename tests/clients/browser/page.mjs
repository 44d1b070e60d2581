// What a web page does with the server, in the browser: `run(task)` gives a list of `{ name, why }`, `why` only where a check failed.
// A page that is granted nothing must learn nothing: `refused`. One that is granted everything uses every revision: `works`.

const CHECK_MS = 10_000;
const MODERN = '2026-07-28';
const OLDER = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const BOTH = 'application/json, text/event-stream';
const META = 'io.modelcontextprotocol/';
const LIST_CHANGED = 'notifications/tools/list_changed';

class CheckFailed extends Error {}

function expect(what, expected, got) {
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)];
  if (a !== b) throw new CheckFailed(`${what}: expected ${a}, got ${b}`);
}

function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new CheckFailed(`${what}: no end within ${CHECK_MS / 1000} s`)), CHECK_MS)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// `task`: { base, suite, headers }; see the driver.
export async function run(task) {
  const results = [];
  for (const [name, check] of Object.entries(SUITES[task.suite](task))) {
    try {
      await within(check(), name);
      results.push({ name });
    } catch (error) {
      results.push({ name, why: error instanceof CheckFailed ? error.message : `${error?.name}: ${error?.message}` });
    }
  }
  return results;
}

const SUITES = {
  works,
  refused,
  /// A page that may come, but brings no token, or the wrong one.
  unknown,
  /// A page in a sandbox, or of a file, has the origin `null`.
  sandboxed: ({ base, headers, granted }) => ({
    async 'a sandboxed frame'() {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      const said = new Promise((resolve) => addEventListener('message', (event) => event.source === frame.contentWindow && resolve(event.data)));
      frame.srcdoc = `<script>
        const all = [fetch(${JSON.stringify(`${base}/healthz`)}, { headers: ${JSON.stringify(headers)} }).then((answer) => answer.text(), (error) => error.name),
          new Promise((resolve) => { const events = new EventSource(${JSON.stringify(`${base}/sse`)});
            events.addEventListener('endpoint', () => { events.close(); resolve('endpoint'); }); events.onerror = () => resolve('error'); })];
        Promise.all(all).then((said) => parent.postMessage([origin, ...said], '*'));
      <\/script>`;
      document.body.append(frame);
      const streams = granted && !headers.Authorization;
      expect('what it learnt', ['null', granted ? 'ok\n' : 'TypeError', streams ? 'endpoint' : 'error'], await said);
      frame.remove();
    },
  }),
};

// --- a page that may ----------------------------------------------------------------------------------------------

function works({ base, headers, anyHeader }) {
  const page = new Page(base, headers);
  const checks = {
    'healthz': async () => expect('its text', 'ok\n', await (await fetch(`${base}/healthz`)).text()),
    async 'what is not there is told so that a page can read it'() {
      const answer = await fetch(`${base}/.well-known/oauth-authorization-server`, { headers });
      expect('status', 404, answer.status);
      expect('error', 'not_found', (await answer.json()).error);
    },
    'no credentials of the browser go along': () => fails(() => fetch(`${base}/healthz`, { credentials: 'include' })),
    async 'a header that no client sends'() {
      const asks = () => fetch(`${base}/healthz`, { headers: { 'X-Anything': '1' } });
      if (anyHeader) expect('status', 200, (await asks()).status);
      else await fails(asks);
    },
    ...modern(page),
  };
  for (const revision of OLDER) Object.assign(checks, older(page, revision));
  for (const path of ['/sse', '/mcp']) {
    checks[`EventSource ${path}`] = headers.Authorization
      ? () => silent(`${base}${path}`) // it can't bring a token
      : () => httpSse(base, path);
  }
  if (headers.Authorization) {
    checks['2024-11-05, its stream read by fetch'] = () => httpSseByFetch(page);
    const token = headers.Authorization.split(' ')[1];
    checks['a token in the query is refused'] = () => silent(`${base}/sse?access_token=${token}`);
  }
  return checks;
}

/// The server, as a page sees it that is granted it.
class Page {
  constructor(base, headers) {
    this.url = `${base}/mcp`;
    this.base = base;
    this.headers = headers;
  }

  post(message, headers = {}, more = {}) {
    const all = { 'Content-Type': 'application/json', Accept: BOTH, ...this.headers, ...headers };
    return fetch(this.url, { method: 'POST', headers: all, body: JSON.stringify({ jsonrpc: '2.0', ...message }), ...more });
  }

  modern(method, params = {}, headers = {}, more = {}) {
    const _meta = { [`${META}protocolVersion`]: MODERN, [`${META}clientCapabilities`]: { elicitation: {} }, ...params._meta };
    const name = params.name ? { 'Mcp-Name': params.name } : {};
    return this.post({ id: 1, method, params: { ...params, _meta } }, { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': method, ...name, ...headers }, more);
  }

  /// Makes all who listen hear that the list of tools changed.
  async notify() {
    const answer = await this.modern('tools/call', { name: 'notify', arguments: {} });
    expect('notify', false, (await answer.json()).result.isError);
  }
}

/// The messages of an event stream, as they come: [message or null, id].
async function* events(answer) {
  expect('type', 'text/event-stream', answer.headers.get('Content-Type'));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split('\n');
      const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      yield { event: field('event'), id: field('id'), data, message: data?.startsWith('{') ? JSON.parse(data) : null };
    }
  }
}

function modern(page) {
  const text = async (answer) => (await answer.json()).result.content[0].text;
  return {
    async [`${MODERN}: discover`]() {
      const { result } = await (await page.modern('server/discover')).json();
      expect('revisions', true, result.supportedVersions.includes(MODERN));
    },
    async [`${MODERN}: tools`]() {
      const { result } = await (await page.modern('tools/list')).json();
      expect('echo is among them', true, result.tools.some((tool) => tool.name === 'echo'));
    },
    async [`${MODERN}: a call`]() {
      const said = 'Grüße, 漢字 😀 "quoted"';
      expect('echo', said, await text(await page.modern('tools/call', { name: 'echo', arguments: { text: said } })));
    },
    async [`${MODERN}: arguments in headers`]() {
      const params = { name: 'test_x_mcp_header', arguments: { region: 'eu', priority: 3 } };
      const answer = await page.modern('tools/call', params, { 'Mcp-Param-Region': 'eu', 'Mcp-Param-Priority': '3' });
      expect('text', 'region: eu, priority: 3', await text(answer));
    },
    async [`${MODERN}: a stream, piece by piece`]() {
      const began = performance.now();
      const answer = await page.modern('tools/call', { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 'p' } });
      const times = [];
      let last;
      for await (const { message } of events(answer)) {
        if (!message) continue;
        times.push(performance.now() - began);
        last = message;
      }
      expect('messages', 4, times.length);
      expect('the last is the result', 'done', last.result.content[0].text);
      expect(`it is not held back (${times.map(Math.round)})`, true, times[0] + 50 < times[3]);
    },
    async [`${MODERN}: a question, and its answer`]() {
      const params = { name: 'test_confirm', arguments: { text: 'the disk' } };
      const { result: asked } = await (await page.modern('tools/call', params)).json();
      const answers = { inputResponses: { 'smol:confirm': { action: 'accept', content: { confirm: true } } }, requestState: asked.requestState };
      expect('the question', ['smol:confirm'], Object.keys(asked.inputRequests));
      expect('the answer', 'erased the disk', await text(await page.modern('tools/call', { ...params, ...answers })));
    },
    async [`${MODERN}: subscriptions`]() {
      const stop = new AbortController();
      const params = { notifications: { toolsListChanged: true } };
      const answer = await page.modern('subscriptions/listen', params, {}, { signal: stop.signal });
      const heard = [];
      for await (const { message } of events(answer)) {
        if (!message) continue;
        heard.push(message.method);
        if (heard.length === 1) await page.notify();
        else break;
      }
      stop.abort();
      expect('what it heard', ['notifications/subscriptions/acknowledged', LIST_CHANGED], heard);
    },
    async [`${MODERN}: errors can be read`]() {
      const errors = [];
      for (const [method, headers] of [['dance', {}], ['tools/list', { 'Mcp-Method': 'tools/call' }]]) {
        const answer = await page.modern(method, {}, headers);
        errors.push([answer.status, (await answer.json()).error.code]);
      }
      expect('statuses and codes', [[404, -32601], [400, -32020]], errors);
    },
  };
}

function older(page, revision) {
  let session;
  const call = (name, args = {}, _meta) => page.post({ id: 2, method: 'tools/call', params: { name, arguments: args, _meta } }, session);
  const stream = (more = {}, signal) => fetch(page.url, { headers: { Accept: 'text/event-stream', ...page.headers, ...session, ...more }, signal });
  return {
    async [`${revision}: a session, whose id can be read`]() {
      const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'page', version: '1' } };
      const answer = await page.post({ id: 1, method: 'initialize', params });
      const id = answer.headers.get('Mcp-Session-Id');
      expect('it has an id', 'string', typeof id);
      expect('revision', revision, (await answer.json()).result.protocolVersion);
      session = { 'Mcp-Session-Id': id, 'MCP-Protocol-Version': revision };
      expect('initialized', 202, (await page.post({ method: 'notifications/initialized' }, session)).status);
    },
    async [`${revision}: calls`]() {
      const answer = await call('add', { a: 20, b: 22 });
      expect('the sum', '42', (await answer.json()).result.content[0].text);
      const methods = [];
      for await (const { message } of events(await call('test_tool_with_progress', {}, { progressToken: 'p' }))) {
        if (message) methods.push(message.method ?? message.result.content[0].text);
      }
      expect('a stream', [...Array(3).fill('notifications/progress'), 'done'], methods);
    },
    async [`${revision}: its stream, which is taken up again`]() {
      const stop = new AbortController();
      let last;
      const heard = [];
      const listen = async (more) => {
        const answer = await stream(more, stop.signal);
        for await (const { message, id } of events(answer)) {
          last = id ?? last;
          if (message) return message.method;
        }
      };
      const first = listen();
      // The stream is there once a message can be heard by it.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await page.notify();
      heard.push(await first);
      if (revision !== '2024-11-05') {
        expect('events have ids', 'string', typeof last);
        await page.notify();
        heard.push(await listen({ 'Last-Event-ID': last }));
      }
      stop.abort();
      expect('what it heard', Array(revision === '2024-11-05' ? 1 : 2).fill(LIST_CHANGED), heard);
    },
    async [`${revision}: a session ends`]() {
      // By way of its cache, which has an entry of the stream that was just given up, Chromium may send this twice: the second is a 404.
      const answer = await fetch(page.url, { method: 'DELETE', headers: { ...page.headers, ...session }, cache: 'no-store' });
      expect('status', 200, answer.status);
      const after = await call('add', { a: 1, b: 1 });
      expect('afterwards', [404, 'string'], [after.status, typeof (await after.json()).error.message]);
    },
  };
}

/// 2024-11-05, as its clients do it in a browser.
async function httpSse(base, path) {
  const source = new EventSource(`${base}${path}`);
  try {
    const messages = [];
    const waiting = [];
    source.addEventListener('message', ({ data }) => {
      messages.push(JSON.parse(data));
      waiting.splice(0).forEach((wake) => wake());
    });
    const endpoint = await new Promise((resolve, reject) => {
      source.addEventListener('endpoint', ({ data }) => resolve(new URL(data, `${base}${path}`)));
      source.onerror = () => reject(new CheckFailed('the stream does not open'));
    });
    expect('where to send', base, endpoint.origin);
    await speak(endpoint, {}, async (test) => {
      while (!messages.some(test)) await new Promise((resolve) => waiting.push(resolve));
      return messages.find(test);
    });
  } finally {
    source.close();
  }
}

/// The same by fetch, which can bring a token.
async function httpSseByFetch(page) {
  const stop = new AbortController();
  const answer = await fetch(`${page.base}/sse`, { headers: { Accept: 'text/event-stream', ...page.headers }, signal: stop.signal });
  const all = events(answer);
  const endpoint = new URL((await all.next()).value.data, page.base);
  await speak(endpoint, page.headers, async (test) => {
    for (;;) {
      const { value } = await all.next();
      if (value.message && test(value.message)) return value.message;
    }
  });
  stop.abort();
}

async function speak(endpoint, headers, heard) {
  const send = async (message) => {
    const answer = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
    expect(`status of ${message.method}`, 202, answer.status);
  };
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'page', version: '1' } };
  await send({ id: 1, method: 'initialize', params });
  expect('revision', '2024-11-05', (await heard((message) => message.id === 1)).result.protocolVersion);
  await send({ method: 'notifications/initialized' });
  await send({ id: 2, method: 'tools/call', params: { name: 'add', arguments: { a: 20, b: 22 } } });
  expect('the sum', '42', (await heard((message) => message.id === 2)).result.content[0].text);
  await send({ id: 3, method: 'tools/call', params: { name: 'notify', arguments: {} } });
  await heard((message) => message.method === LIST_CHANGED);
}

// --- a page that may come, and does not say who it is ------------------------------------------------------------

function unknown({ base, headers }) {
  const page = new Page(base, headers);
  const refusal = async (answer) => {
    expect('status', 401, answer.status);
    expect('the challenge can be read', 'Bearer', answer.headers.get('WWW-Authenticate')?.split(' ')[0]);
    expect('so can the reason', 'string', typeof (await answer.json()).error.message);
  };
  return {
    [`${MODERN}: it reads why`]: async () => refusal(await page.modern('tools/list')),
    'initialize: it reads why': async () => refusal(await page.post({ id: 1, method: 'initialize', params: {} })),
    'GET: it reads why': async () => refusal(await fetch(`${base}/mcp`, { headers: { Accept: 'text/event-stream', ...headers } })),
    'DELETE: it reads why': async () => refusal(await fetch(`${base}/mcp`, { method: 'DELETE', headers: { 'Mcp-Session-Id': 'x', ...headers } })),
    'EventSource /sse gets nothing': () => silent(`${base}/sse`),
    'EventSource /mcp gets nothing': () => silent(`${base}/mcp`),
  };
}

// --- a page that may not -------------------------------------------------------------------------------------------

/// A fetch, or another promise, that the browser rejects as if there were no server.
async function fails(asks) {
  let came;
  try {
    came = await asks();
  } catch (error) {
    return expect('the error', 'TypeError', error.name);
  }
  throw new CheckFailed(`an answer was readable: ${came.status} ${came.type}`);
}

/// An EventSource that gets an error, and nothing else.
async function silent(url) {
  const source = new EventSource(url, { withCredentials: url.includes('credentials') });
  const came = [];
  for (const event of ['open', 'message', 'endpoint']) source.addEventListener(event, () => came.push(event));
  await new Promise((resolve) => (source.onerror = resolve));
  expect('state', EventSource.CLOSED, source.readyState);
  source.close();
  expect('what came', [], came);
}

function refused({ base, headers, isPublic }) {
  const page = new Page(base, headers);
  const broadcast = (text) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'broadcast', arguments: { text },
    _meta: { [`${META}protocolVersion`]: MODERN, [`${META}clientCapabilities`]: {} } } });
  // What wants to read nothing is sent all the same; not to a private network.
  const unread = async (asks) => {
    if (isPublic) return fails(asks);
    const answer = await asks();
    expect('what is seen of the answer', ['opaque', 0, '', null], [answer.type, answer.status, answer.statusText, answer.body]);
  };
  const initialize = (protocolVersion) => ({ id: 1, method: 'initialize', params: { protocolVersion, capabilities: {}, clientInfo: { name: 'page', version: '1' } } });
  const checks = {
    'GET /healthz': () => fails(() => fetch(`${base}/healthz`)),
    'GET of what is not there': () => fails(() => fetch(`${base}/nothing`)),
    'GET with credentials': () => fails(() => fetch(`${base}/healthz`, { credentials: 'include' })),
    'GET /sse by fetch': () => fails(() => fetch(`${base}/sse`, { headers: { Accept: 'text/event-stream' } })),
    'GET /mcp by fetch': () => fails(() => fetch(`${base}/mcp`, { headers: { Accept: 'text/event-stream' } })),
    'DELETE': () => fails(() => fetch(`${base}/mcp`, { method: 'DELETE', headers: { 'Mcp-Session-Id': 'x' } })),
    'OPTIONS': () => fails(() => fetch(`${base}/mcp`, { method: 'OPTIONS' })),
    [`${MODERN}: discover`]: () => fails(() => page.modern('server/discover')),
    [`${MODERN}: a call`]: () => fails(() => page.modern('tools/call', { name: 'broadcast', arguments: { text: 'modern' } })),
    [`${MODERN}: subscriptions`]: () => fails(() => page.modern('subscriptions/listen', { notifications: {} })),
    'EventSource /sse': () => silent(`${base}/sse`),
    'EventSource /mcp': () => silent(`${base}/mcp`),
    'EventSource with credentials': () => silent(`${base}/sse?credentials`),
    'a message to 2024-11-05\'s endpoint': () => fails(() => fetch(`${base}/messages?sessionId=x`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })),
    async 'XMLHttpRequest'() {
      const request = new XMLHttpRequest();
      request.open('POST', `${base}/mcp`);
      request.setRequestHeader('Content-Type', 'text/plain');
      const ended = new Promise((resolve) => (request.onloadend = resolve));
      request.send(broadcast('xhr'));
      await ended;
      expect('what is seen', [0, '', ''], [request.status, request.responseText, request.getAllResponseHeaders()]);
    },
    'a GET that wants to read nothing': () => unread(() => fetch(`${base}/sse`, { mode: 'no-cors' })),
    async 'a WebSocket'() {
      const socket = new WebSocket(`${base.replace('http', 'ws')}/mcp`);
      const came = await new Promise((resolve) => ['open', 'error'].forEach((name) => socket.addEventListener(name, () => resolve(name))));
      expect('what came', 'error', came);
    },
    async 'a script of the server\'s'() {
      const script = document.createElement('script');
      script.src = `${base}/mcp`;
      const came = new Promise((resolve) => ['load', 'error'].forEach((name) => script.addEventListener(name, () => resolve(name))));
      document.head.append(script);
      expect('what came', 'error', await came);
    },
    async 'a frame'() {
      const frame = document.createElement('iframe');
      frame.src = `${base}/mcp`;
      const loaded = new Promise((resolve) => (frame.onload = resolve));
      document.body.append(frame);
      await loaded;
      expect('its document', null, frame.contentDocument);
      frame.remove();
    },
    // What follows is sent without a preflight; the driver looks whether it was done.
    async 'a form that is sent off'() {
      const form = document.createElement('form');
      const frame = document.createElement('iframe');
      frame.name = 'target';
      Object.assign(form, { action: `${base}/mcp`, method: 'POST', enctype: 'text/plain', target: 'target' });
      const field = document.createElement('input');
      [field.name, field.value] = [broadcast('form').slice(0, -1) + ',"x":"', '"}'];
      form.append(field);
      document.body.append(frame, form);
      const loaded = new Promise((resolve) => (frame.onload = resolve));
      form.submit();
      await loaded;
      expect('its answer', null, frame.contentDocument);
      frame.remove();
      form.remove();
    },
    'a beacon': async () => expect('it is sent', true, navigator.sendBeacon(`${base}/mcp`, broadcast('beacon'))),
  };
  for (const revision of OLDER) checks[`${revision}: initialize`] = () => fails(() => page.post(initialize(revision)));
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '', 'application/json']) {
    checks[`a POST that wants to read nothing, ${type || 'of no type'}`] = async () => {
      // The type that is not a page's to send without a preflight is sent as text.
      const body = type ? broadcast(type) : new Blob([broadcast('blob')]);
      await unread(() => fetch(`${base}/mcp`, { method: 'POST', mode: 'no-cors', headers: type ? { 'Content-Type': type } : {}, body }));
    };
  }
  return checks;
}
