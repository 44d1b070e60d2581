// `node validate.mjs BASE_URL [ONLY]`: drives `everything` through every method, tool, prompt and resource, in each revision (the
// oldest by its own transport), and validates every message that the server sends against the protocol's schema of that revision.

import { REVISIONS, Schemas, nulls, validator } from './schemas.mjs';
import { Wire } from './wire.mjs';

const QUIET_MS = 300;
const TASK_TRIES = 50;
const WATCHED = 'test://watched-resource';
const OWN_ARGUMENTS = {
  slow_compute: { seconds: 0.1 },
  json_schema_2020_12_tool: { name: 'x', phone: '1' },
  confirm_delete: { filename: 'old.txt' },
};

/// What must have come, from and to which revision: the rest is named where it is caused.
const KINDS = [
  ['2024-11-05', '2026-07-28', 'sampling/createMessage'],
  ['2024-11-05', '2026-07-28', 'roots/list'],
  ['2025-06-18', '2026-07-28', 'elicitation/create'],
  ['2026-07-28', '2026-07-28', 'input_required'],
  ['2026-07-28', '2026-07-28', 'complete'],
  ['2026-07-28', '2026-07-28', 'task'],
];

const schemas = Schemas.all();
let failed = 0;

function say(name, lines) {
  const unlike = [...new Set(lines)];
  console.log(unlike.length ? `FAIL schema ${name}: ${unlike.slice(0, 6).join('; ')}${unlike.length > 6 ? `; and ${unlike.length - 6} more` : ''}` : `ok schema ${name}`);
  failed += unlike.length > 0;
}

/// One client of a revision, and what is wrong with what it was sent.
class Probe {
  found = []; // what is wrong, since the last `take`
  kinds = new Set(); // methods of notifications and requests, kinds of results
  count = 0;

  constructor(base, revision) {
    this.schema = schemas[revision];
    this.wire = new Wire(base, revision, (message, method) => this.#seen(message, method), (request) => this.#answer(request));
  }

  #seen(message, method) {
    this.count++;
    if (message.broken) return void this.found.push(message.broken);
    this.kinds.add(message.method ?? message.result?.resultType ?? 'result');
    const where = message.method ?? `${method}'s ${'error' in message ? 'error' : 'result'}`;
    const lines = this.schema.message(message, method);
    // A task without a lifetime says so by a null.
    const bare = nulls(message).filter((path) => !path.endsWith('/ttlMs') && !(path === '/id' && 'error' in message));
    this.found.push(...lines.map((line) => `${where}: ${line}`), ...bare.map((path) => `${where}: null at ${path}`));
  }

  /// The result of a question of the server's, in either era.
  async #answer({ method, params }) {
    if (method === 'ping') return { result: {} };
    if (method === 'roots/list') return { result: { roots: [{ uri: 'file:///x', name: 'x' }] } };
    if (method === 'sampling/createMessage') {
      return { result: { role: 'assistant', content: { type: 'text', text: 'said' }, model: 'm', stopReason: 'endTurn' } };
    }
    if (params.mode === 'url') return { result: { action: 'accept' } };
    const fields = Object.entries(params.requestedSchema.properties);
    return { result: { action: 'accept', content: Object.fromEntries(fields.map(([name, field]) => [name, sample(name, field)])) } };
  }

  /// Asks; answers the server's questions of the newest revision, and asks again.
  async ask(method, params, headers) {
    let answer = await this.wire.request(method, params, headers);
    for (let round = 0; round < 5 && answer?.result?.resultType === 'input_required'; round++) {
      const { inputRequests = {}, requestState } = answer.result;
      const inputResponses = {};
      for (const [key, request] of Object.entries(inputRequests)) {
        this.found.push(...this.#question(request).map((line) => `${method}: inputRequests/${key}: ${line}`));
        inputResponses[key] = (await this.#answer(request)).result;
      }
      answer = await this.wire.request(method, { ...params, inputResponses, ...(requestState ? { requestState } : {}) }, headers);
    }
    return answer;
  }

  #question(request) {
    this.kinds.add(request.method);
    const type = this.schema.byMethod[request.method];
    return type ? this.schema.errors(type, request) : [`no such question: ${request.method}`];
  }

  take() {
    return this.found.splice(0);
  }
}

/// A value for a field that an argument or a form has.
function sample(name, field) {
  const choices = field.enum ?? (field.oneOf ?? field.anyOf)?.map((one) => one.const);
  if (choices) return choices[0];
  switch (field.type) {
    case 'array': return [sample(name, field.items)];
    case 'boolean': return true;
    case 'integer': case 'number': return Math.max(field.minimum ?? 1, 1);
    default: return field.format === 'email' ? 'a@example.com' : name === 'resourceUri' || field.format === 'uri' ? 'test://x' : 'Grüße "x"';
  }
}

/// The arguments that a tool is called with, and the headers that repeat some of them.
function argumentsOf(tool, modern) {
  const fields = Object.entries(tool.inputSchema.properties ?? {});
  const args = OWN_ARGUMENTS[tool.name] ?? Object.fromEntries(fields.map(([name, field]) => [name, sample(name, field)]));
  const repeated = fields.filter(([name, field]) => modern && field['x-mcp-header'] && name in args);
  const headers = repeated.map(([name, field]) => [`mcp-param-${field['x-mcp-header']}`, header(args[name])]);
  return [args, Object.fromEntries(headers)];
}

function header(value) {
  return /^[!-~]*$/.test(String(value)) ? String(value) : `=?base64?${Buffer.from(value).toString('base64')}?=`;
}

/// All pages of a list.
async function list(probe, method, member) {
  const items = [];
  let cursor;
  do {
    const answer = await probe.ask(method, cursor === undefined ? undefined : { cursor });
    items.push(...answer.result[member]);
    cursor = answer.result.nextCursor;
  } while (cursor !== undefined);
  return items;
}

/// The forms that this tool writes by hand came with 2025-11-25.
const isOfLater = (tool, revision) => tool.name === 'test_elicitation_sep1330_enums' && revision === '2025-06-18';

/// Every tool: its schemas, its result, and its structured content by its own schema.
async function tools(probe, revision) {
  const all = await list(probe, 'tools/list', 'tools');
  say(`${revision} tools/list`, probe.take());
  for (const tool of all.filter((one) => !isOfLater(one, revision))) {
    const lines = [];
    try {
      validator({ $schema: tool.inputSchema.$schema ?? '2020-12' }).compile(tool.inputSchema);
      const [args, headers] = argumentsOf(tool, probe.wire.modern);
      const _meta = { progressToken: `p-${tool.name}`, ...(probe.wire.modern ? { 'io.modelcontextprotocol/logLevel': 'debug' } : {}) };
      const answer = await probe.ask('tools/call', { name: tool.name, arguments: args, _meta }, headers);
      if (tool.outputSchema && !answer?.result?.isError) {
        const valid = validator({ $schema: '2020-12' }).compile(tool.outputSchema);
        if (!valid(answer.result.structuredContent)) lines.push(...valid.errors.map((error) => `structuredContent${error.instancePath}: ${error.message}`));
      }
    } catch (error) {
      lines.push(String(error));
    }
    say(`${revision} tools/call ${tool.name}`, [...probe.take(), ...lines]);
  }
}

async function resources(probe, revision) {
  const all = await list(probe, 'resources/list', 'resources');
  const templates = await list(probe, 'resources/templates/list', 'resourceTemplates');
  say(`${revision} resources/list, resources/templates/list`, probe.take());
  for (const uri of [...all.map((resource) => resource.uri), ...templates.map((template) => template.uriTemplate.replace(/\{[^}]*\}/g, '7'))]) {
    await probe.ask('resources/read', { uri });
    say(`${revision} resources/read ${uri}`, probe.take());
  }
  if (probe.wire.modern) return;
  await probe.ask('resources/subscribe', { uri: WATCHED });
  await probe.ask('resources/unsubscribe', { uri: WATCHED });
  say(`${revision} resources/subscribe, resources/unsubscribe`, probe.take());
}

async function prompts(probe, revision) {
  for (const prompt of await list(probe, 'prompts/list', 'prompts')) {
    const args = Object.fromEntries((prompt.arguments ?? []).map(({ name }) => [name, sample(name, {})]));
    await probe.ask('prompts/get', { name: prompt.name, arguments: args });
    say(`${revision} prompts/get ${prompt.name}`, probe.take());
  }
  for (const ref of [{ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, { type: 'ref/resource', uri: 'test://template/{id}/data' }]) {
    await probe.ask('completion/complete', { ref, argument: { name: ref.name ? 'arg1' : 'id', value: '' }, context: { arguments: {} } });
  }
  say(`${revision} prompts/list, completion/complete`, probe.take());
}

/// Everything that is refused.
async function refusals(probe, revision) {
  for (const [method, params] of [
    ['no/such', undefined],
    ['tools/call', { name: 'no_such_tool' }],
    ['tools/call', { name: 'add', arguments: { a: 'x' } }],
    ['tools/list', { cursor: 'nowhere' }],
    ['resources/read', { uri: 'test://nothing' }],
    ['resources/read', undefined],
    ['prompts/get', { name: 'no_such_prompt' }],
    ['prompts/get', { name: 'test_prompt_with_arguments' }],
    ['completion/complete', { ref: { type: 'ref/none' }, argument: { name: 'a', value: '' } }],
    ['logging/setLevel', { level: 'no_such_level' }],
    ['tasks/get', { taskId: 'no-such-task' }],
  ]) {
    const answer = await probe.ask(method, params).catch((error) => probe.found.push(String(error)));
    const isRefused = answer?.error || answer?.result?.isError;
    say(`${revision} refusal of ${method} ${JSON.stringify(params) ?? ''}`, [...probe.take(), ...(isRefused ? [] : [`expected a refusal, got ${JSON.stringify(answer)}`])]);
  }
  if (!probe.wire.modern) return;
  const { capabilities } = probe.wire;
  probe.wire.capabilities = {};
  const answer = await probe.wire.request('tools/call', { name: 'test_missing_capability', arguments: {} });
  probe.wire.capabilities = capabilities;
  say(`${revision} a capability is missing`, [...probe.take(), ...(answer?.error?.code === -32021 ? [] : [`expected -32021, got ${JSON.stringify(answer)}`])]);
}

/// What the server says by itself: to this client, caused by it.
async function notifications(probe, revision) {
  const wanted = ['notifications/tools/list_changed', 'notifications/prompts/list_changed', 'notifications/resources/updated'];
  if (probe.wire.modern) {
    const filter = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: [WATCHED] };
    await probe.wire.listen(filter);
    wanted.push('notifications/subscriptions/acknowledged');
  } else {
    await probe.ask('resources/subscribe', { uri: WATCHED });
    await probe.ask('logging/setLevel', { level: 'debug' });
    await probe.ask('tools/call', { name: 'broadcast', arguments: { text: 'to "all"\n' } });
    await probe.ask('ping');
  }
  for (const name of ['test_trigger_tool_change', 'test_trigger_prompt_change', 'test_trigger_resource_update']) await probe.ask('tools/call', { name });
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    await probe.ask('tools/call', { name, _meta: probe.wire.modern ? { 'io.modelcontextprotocol/logLevel': 'debug' } : undefined });
  }
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const missing = [...wanted, 'notifications/progress', 'notifications/message'].filter((method) => !probe.kinds.has(method));
  say(`${revision} notifications`, [...probe.take(), ...missing.map((method) => `no ${method} came`)]);
}

/// Several requests at once, and ids of every kind are the business of `curl.sh`: here it is the shape of the answers.
async function batches(probe, revision) {
  const answers = await probe.wire.batch(['ping', 'tools/list', 'prompts/list', 'no/such']);
  say(`${revision} a batch`, [...probe.take(), ...(answers.length === 4 ? [] : [`${answers.length} answers to 4 requests`])]);
}

/// What a validator that sees nothing would let pass.
function refusesWhatItMust(schema, revision) {
  const wrong = {
    'a tool without its schema': [{ tools: [{ name: 'x' }] }, 'tools/list'],
    'a name that is a number': [{ tools: [{ name: 1, inputSchema: { type: 'object' } }] }, 'tools/list'],
    'a cursor that is null': [{ tools: [], nextCursor: null }, 'tools/list'],
    'a kind of content that there is not': [{ content: [{ type: 'smell', text: '' }] }, 'tools/call'],
    'no content': [{ isError: true }, 'tools/call'],
    'a blob that is no Base64': [{ contents: [{ uri: 'a:b', blob: '%%' }] }, 'resources/read'],
    'a role that there is not': [{ messages: [{ role: 'system', content: { type: 'text', text: '' } }] }, 'prompts/get'],
  };
  const common = revision === '2026-07-28' ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {};
  const passed = Object.entries(wrong).filter(([, [result, method]]) => {
    return !schema.message({ jsonrpc: '2.0', id: 1, result: { ...common, ...result } }, method).length;
  });
  const fine = schema.message({ jsonrpc: '2.0', id: 1, result: { ...common, tools: [] } }, 'tools/list');
  say(`${revision} the validator refuses what it must`, [...passed.map(([what]) => `${what} passed`), ...fine]);
}

/// The extension of tasks: each tool that becomes one, to its end.
async function tasks(probe, revision) {
  probe.wire.capabilities = { ...probe.wire.capabilities, extensions: { 'io.modelcontextprotocol/tasks': {} } };
  for (const [name, args] of [['slow_compute', { seconds: 0.3 }], ['failing_job', {}], ['protocol_error_job', {}], ['confirm_delete', { filename: 'x' }], ['multi_input', {}]]) {
    const lines = [];
    const taskId = (await probe.ask('tools/call', { name, arguments: args }))?.result?.taskId;
    if (!taskId) lines.push('it became no task');
    let status;
    for (let tries = 0; taskId && tries < TASK_TRIES && !['completed', 'failed', 'cancelled'].includes(status); tries++) {
      const { result = {} } = await probe.ask('tasks/get', { taskId });
      status = result.status;
      if (status === 'input_required') {
        const inputResponses = Object.fromEntries(Object.entries(result.inputRequests).map(([key, { params }]) => [key, {
          action: 'accept',
          content: Object.fromEntries(Object.entries(params.requestedSchema.properties).map(([field, schema]) => [field, sample(field, schema)])),
        }]));
        await probe.ask('tasks/update', { taskId, inputResponses });
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (taskId) await probe.ask('tasks/cancel', { taskId });
    if (taskId && status !== (name === 'protocol_error_job' ? 'failed' : 'completed')) lines.push(`its last status is ${status}`);
    say(`${revision} task ${name}`, [...probe.take(), ...lines]);
  }
}

async function main(base, only) {
  for (const revision of REVISIONS.filter((one) => !only || one === only)) {
    const probe = new Probe(base, revision);
    refusesWhatItMust(probe.schema, revision);
    const opened = await probe.wire.open();
    const negotiated = probe.wire.modern ? opened.result?.supportedVersions?.includes(revision) : opened.result?.protocolVersion === revision;
    say(`${revision} ${probe.wire.modern ? 'server/discover' : 'initialize'}`, [...probe.take(), ...(negotiated ? [] : ['another revision'])]);
    const own = revision === '2025-03-26' ? [batches] : probe.wire.modern ? [tasks] : [];
    for (const part of [tools, resources, prompts, refusals, notifications, ...own]) {
      await part(probe, revision).catch((error) => say(`${revision} ${part.name}`, [...probe.take(), String(error.stack).replaceAll('\n', ' ')]));
    }
    probe.wire.close();
    const kinds = KINDS.filter(([since, until]) => since <= revision && revision <= until).map(([, , kind]) => kind);
    say(`${revision} all kinds of messages came`, kinds.filter((kind) => !probe.kinds.has(kind)).map((kind) => `no ${kind}`));
    console.log(`# ${revision}: ${probe.count} messages of the server validated; ${[...probe.kinds].sort().join(' ')}`);
  }
  process.exit(failed ? 1 : 0);
}

await main(process.argv[2].replace(/\/$/, ''), process.argv[3]);
