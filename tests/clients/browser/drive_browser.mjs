// `node drive_browser.mjs EVERYTHING LOG [ONLY]`: drives the example `everything` (a program) with pages of several origins, in Chromium. It lies
// beside the browsers that `unpack.mjs` made. One line for each check: `ok NAME` or `FAIL NAME: why`.
//
// All pages come from one server here, by several names: `*.example` leads to this machine in the browser. The page of a name posts what it
// found (page.mjs), and goes on to the next.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const START_MS = 15_000;
const PAGE_MS = 60_000;
const STOP_MS = 3_000;
const QUIET_MS = 500;
const TOKEN = 'a-token-that-nobody-guesses';

const HERE = import.meta.dirname;
const [EVERYTHING, LOG, ONLY = ''] = process.argv.slice(2); // ONLY: the pages whose name has this
const children = new Set();
let failed = 0;

process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

function say(name, why) {
  console.log(why === undefined ? `ok browser ${name}` : `FAIL browser ${name}: ${String(why).replaceAll('\n', ' ')}`);
  failed += why !== undefined;
}

function late(ms, what) {
  return new Promise((_, reject) => setTimeout(reject, ms, new Error(`${what}: nothing within ${ms / 1000} s`)).unref());
}

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.ended = new Promise((resolve) => child.on('exit', resolve).on('error', resolve));
  child.ended.then(() => children.delete(child));
  child.stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([child.ended, late(STOP_MS, 'its end')]).catch(() => child.kill('SIGKILL'));
    await child.ended;
  };
  return child;
}

/// `everything` with these flags: where it listens, as `http://127.0.0.1:PORT`.
async function serve(name, flags) {
  const log = fs.openSync(path.join(LOG, `browser-${name}.log`), 'w');
  const child = start(EVERYTHING, ['--listen', '127.0.0.1:0', ...flags], { stdio: ['ignore', 'pipe', log] });
  let said = '';
  const ready = new Promise((resolve) => child.stdout.on('data', (data) => {
    said += data;
    const found = said.match(/listening on (http:\/\/127\.0\.0\.1:\d+)\/mcp\n/);
    if (found) resolve(found[1]);
  }));
  const gone = child.ended.then(() => Promise.reject(new Error(`it ended; see ${LOG}/browser-${name}.log`)));
  const base = await Promise.race([ready, gone, late(START_MS, 'everything')]);
  return { base, port: Number(new URL(base).port), stop: () => child.stop() };
}

// --- the pages -----------------------------------------------------------------------------------------------------

/// Gives pages out, one after the other, and takes what they found.
class Pages {
  #server = http.createServer((request, response) => this.#answer(request, response));
  #next = [];
  #wake = () => {};
  #results = new Map();

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = this.#server.address().port;
    return this;
  }

  origin(host) {
    return `http://${host}:${this.port}`;
  }

  /// Has a page of this origin do a task, and gives what it found.
  async run(origin, task) {
    const id = String(this.#results.size);
    const results = new Promise((resolve) => this.#results.set(id, resolve));
    this.#next.push(`${origin}/run?id=${id}&task=${encodeURIComponent(JSON.stringify(task))}`);
    this.#wake();
    return Promise.race([results, late(PAGE_MS, `the page of ${origin}`)]);
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  // Where the browser is to go next.
  async #await() {
    while (!this.#next.length) await new Promise((resolve) => (this.#wake = resolve));
    return this.#next.shift();
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://localhost');
    const html = (body) => response.setHeader('Content-Type', 'text/html').end(`<!doctype html><body>${body}`);
    switch (url.pathname) {
      case '/':
        return html(`<script>fetch('/next').then((next) => next.text()).then((next) => location = next)</script>`);
      case '/next':
        return response.end(await this.#await());
      case '/page.mjs':
        return response.setHeader('Content-Type', 'text/javascript').end(fs.readFileSync(path.join(HERE, 'page.mjs')));
      case '/run':
        return html(`<script type="module">
          import { run } from './page.mjs';
          const results = await run(${url.searchParams.get('task').replaceAll('<', '\\u003c')});
          const next = await fetch('/found?id=${Number(url.searchParams.get('id'))}', { method: 'POST', body: JSON.stringify(results) });
          location = await next.text();
        </script>`);
      case '/found': {
        let body = '';
        for await (const data of request) body += data;
        this.#results.get(url.searchParams.get('id'))?.(JSON.parse(body));
        return response.end(await this.#await());
      }
      default:
        response.statusCode = 404;
        return response.end();
    }
  }
}

/// A browser that shows what the pages' server gives out.
function browse(name, pages, flags) {
  const folder = path.join(HERE, fs.readdirSync(HERE).filter((entry) => new RegExp(`^${name}-[0-9.]+$`).test(entry)).sort().at(-1));
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'smol-mcp-browser-'));
  const log = fs.openSync(path.join(LOG, `browser-${name}.log`), 'w');
  const args = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-proxy-server', `--user-data-dir=${profile}`, ...flags, pages.origin('127.0.0.1'),
  ];
  const env = { ...process.env, LD_LIBRARY_PATH: path.join(folder, 'lib'), HOME: profile, FONTCONFIG_FILE: path.join(folder, 'fonts.conf') };
  const child = start(path.join(folder, 'chromium'), args, { stdio: ['ignore', log, log], env });
  child.ended.then((code) => code && fs.appendFileSync(path.join(LOG, `browser-${name}.log`), `it ended with ${code}\n`));
  return {
    async stop() {
      await child.stop();
      fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

// --- what is seen from the other side ------------------------------------------------------------------------------

/// A client without a browser, which hears whether a page had something done.
async function sentinel(base, headers = {}) {
  const stop = new AbortController();
  const all = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers };
  const post = (message) => fetch(`${base}/mcp`, { method: 'POST', headers: all, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'sentinel', version: '1' } };
  const hello = await post({ id: 1, method: 'initialize', params });
  all['Mcp-Session-Id'] = hello.headers.get('Mcp-Session-Id');
  await post({ method: 'notifications/initialized' });
  const stream = await fetch(`${base}/mcp`, { headers: { ...all, Accept: 'text/event-stream' }, signal: stop.signal });
  const heard = [];
  (async () => {
    for await (const text of stream.body.pipeThrough(new TextDecoderStream())) {
      heard.push(...text.matchAll(/"data":"([^"]*)"/g).map((found) => found[1]));
    }
  })().catch(() => {});
  return {
    /// What it has heard, after something that it must hear.
    async heard() {
      await post({ id: 2, method: 'tools/call', params: { name: 'broadcast', arguments: { text: 'the sentinel listens' } } });
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      stop.abort();
      return heard;
    },
  };
}

/// Passes bytes on to a server, and notes the heads of the requests. Its own port is where the page goes.
async function tap(port) {
  const heads = [];
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    let text = '';
    client.on('data', (data) => {
      text += data.toString('latin1');
      heads.push(...(text.match(/^(GET|POST|DELETE|OPTIONS) [^]*?\r\n\r\n/gm) ?? []));
      text = text.slice(text.lastIndexOf('\r\n\r\n') + 1);
    });
    client.pipe(upstream).pipe(client);
    for (const side of [client, upstream]) side.on('error', () => [client, upstream].forEach((other) => other.destroy()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { base: `http://127.0.0.1:${server.address().port}`, heads, close: () => server.close() };
}

// --- what is tried -------------------------------------------------------------------------------------------------

async function tryPage(pages, name, host, task) {
  if (!name.includes(ONLY)) return;
  try {
    const results = await pages.run(pages.origin(host), { headers: {}, ...task });
    if (!results.length) say(`${name}: its checks`, 'there are none');
    for (const result of results) say(`${name}: ${result.name}`, result.why);
  } catch (error) {
    say(`${name}: its page`, error.message);
  }
}

async function expectNothingDone(name, base, headers, tries) {
  if (!name.includes(ONLY)) return;
  const listener = await sentinel(base, headers);
  await tries();
  const heard = await listener.heard();
  const done = heard.filter((text) => text !== 'the sentinel listens');
  const why = done.length ? `it sent ${done}` : heard.length === 1 ? undefined : `the sentinel heard itself ${heard.length} times`;
  say(`${name}: nothing was done`, why);
}

async function everyRule(pages) {
  const own = os.hostname().toLowerCase();
  const resolver = `--host-resolver-rules=MAP *.example 127.0.0.1, MAP ${own} 127.0.0.1`;
  const browser = browse('chromium', pages, [resolver]);
  const bearer = { Authorization: `Bearer ${TOKEN}` };
  const closed = await serve('closed', ['--allow-origin', pages.origin('app.example')]);
  const guarded = await serve('guarded', ['--allow-origin', pages.origin('app.example'), '--token', TOKEN]);
  const open = await serve('open', ['--allow-origin', '*']);
  const openGuarded = await serve('open-guarded', ['--allow-origin', '*', '--token', TOKEN]);

  await tryPage(pages, 'a named origin', 'app.example', { base: closed.base, suite: 'works' });
  await tryPage(pages, '127.0.0.1', '127.0.0.1', { base: closed.base, suite: 'works' });
  await tryPage(pages, 'localhost', 'localhost', { base: closed.base, suite: 'works' });
  await expectNothingDone('another origin', closed.base, {}, async () => {
    await tryPage(pages, 'another origin', 'evil.example', { base: closed.base, suite: 'refused' });
  });
  await tryPage(pages, 'another origin', 'evil.example', { base: closed.base, suite: 'sandboxed' });
  await tryPage(pages, 'a named origin', 'app.example', { base: closed.base, suite: 'sandboxed' });
  // The machine's own name on another port, and a part of the allowed one: neither is the origin that was named.
  await tryPage(pages, 'the machine\'s own name', own, { base: closed.base, suite: 'sandboxed' });
  for (const host of ['app.example.evil.example', 'xapp.example']) {
    await expectNothingDone(host, closed.base, {}, () => tryPage(pages, host, host, { base: closed.base, suite: 'refused' }));
  }
  // The server by a name that is not its own: as a page does whose name leads here since a moment ago.
  await expectNothingDone('a name that is not the server\'s', closed.base, {}, async () => {
    const base = `http://rebound.example:${closed.port}`;
    await tryPage(pages, 'a name that is not the server\'s', 'app.example', { base, suite: 'refused' });
  });

  await tryPage(pages, 'a token', 'app.example', { base: guarded.base, suite: 'works', headers: bearer });
  await tryPage(pages, 'no token', 'app.example', { base: guarded.base, suite: 'unknown' });
  await tryPage(pages, 'a wrong token', 'app.example', { base: guarded.base, suite: 'unknown', headers: { Authorization: 'Bearer x' } });
  await expectNothingDone('another origin with a token', guarded.base, bearer, async () => {
    await tryPage(pages, 'another origin with a token', 'evil.example', { base: guarded.base, suite: 'refused', headers: bearer });
  });

  await tryPage(pages, 'open to all', 'anything.example', { base: open.base, suite: 'works', anyHeader: true });
  await tryPage(pages, 'open to all', 'anything.example', { base: open.base, suite: 'sandboxed', granted: true });
  await tryPage(pages, 'open to all with a token', 'anything.example', { base: openGuarded.base, suite: 'works', headers: bearer, anyHeader: true });
  await tryPage(pages, 'open to all with a token', 'anything.example', { base: openGuarded.base, suite: 'sandboxed', headers: bearer, granted: true });
  await tryPage(pages, 'open to all without its token', 'anything.example', { base: openGuarded.base, suite: 'unknown' });

  await Promise.all([browser.stop(), closed.stop(), guarded.stop(), open.stop(), openGuarded.stop()]);
}

/// Pages from a public network: the browser asks the server whether they may come to this one.
async function privateNetwork(pages) {
  const secure = ['app.example', 'evil.example'].map((host) => pages.origin(host)).join(',');
  const browser = browse('chromium-private-network', pages, [
    '--host-resolver-rules=MAP *.example 127.0.0.1',
    `--ip-address-space-overrides=127.0.0.1:${pages.port}=public`,
    `--unsafely-treat-insecure-origin-as-secure=${secure}`,
    '--enable-features=PrivateNetworkAccessSendPreflights,PrivateNetworkAccessRespectPreflightResults,BlockInsecurePrivateNetworkRequests',
  ]);
  const server = await serve('private-network', ['--allow-origin', pages.origin('app.example'), '--token', TOKEN]);
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const hasAsked = (name, heads) => {
    if (!name.includes(ONLY)) return;
    const asked = heads.some((head) => /^OPTIONS /.test(head) && /^access-control-request-private-network: true\r$/im.test(head));
    say(`${name}: the browser asked before`, asked ? undefined : `not in ${heads.length} requests`);
  };

  const granted = await tap(server.port);
  await tryPage(pages, 'from a public network', 'app.example', { base: granted.base, suite: 'works', headers });
  hasAsked('from a public network', granted.heads);

  const refused = await tap(server.port);
  await expectNothingDone('another origin, from a public network', server.base, headers, async () => {
    await tryPage(pages, 'another origin, from a public network', 'evil.example', { base: refused.base, suite: 'refused', headers, isPublic: true });
  });
  hasAsked('another origin, from a public network', refused.heads);
  await Promise.all([browser.stop(), server.stop()]);
  granted.close();
  refused.close();
}

for (const tries of [everyRule, privateNetwork]) {
  const pages = await new Pages().listen();
  await tries(pages).catch((error) => say(`${tries.name} comes to its end`, error.message));
  pages.close();
}
process.exit(failed ? 1 : 0);
