// The protocol's own JSON Schemas: the conformance package has those of four revisions in its program, and a validator beside it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const PROGRAM = new URL('./node_modules/conformance/dist/index.js', import.meta.url);
const Draft07 = require('ajv').default;
const Draft2020 = require('ajv/dist/2020.js').default;
const addFormats = require('ajv-formats').default;

export const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];

/// A validator that accepts what the specification's schemas use.
export function validator(schema) {
  const ajv = new (schema.$schema?.includes('2020-12') ? Draft2020 : Draft07)({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addFormat('byte', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
  return ajv;
}

/// The schemas in the program: `{"2025-03-26":Pe,"2025-06-18":Fe,"2025-11-25":Ie,[A]:Le}`, each an object literal `Pe={$schema:..}`.
function extract() {
  const program = readFileSync(PROGRAM, 'utf8');
  const names = /\{"2025-03-26":(\w+),"2025-06-18":(\w+),"2025-11-25":(\w+),\[\w+\]:(\w+)\}/.exec(program);
  if (!names) throw new Error('the conformance package has no table of schemas where it had one');
  return Object.fromEntries(REVISIONS.slice(1).map((revision, i) => [revision, mended(literal(program, `${names[i + 1]}={$schema:`))]));
}

/// The object literal that begins in `begin`: up to the brace that ends it, texts passed over.
function literal(program, begin) {
  const start = program.indexOf(begin) + begin.indexOf('{');
  let depth = 0;
  for (let at = start; at < program.length; at++) {
    const char = program[at];
    if (char === '`' || char === '"' || char === "'") {
      for (at++; program[at] !== char; at++) if (program[at] === '\\') at++;
    } else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return new Function(`return ${program.slice(start, at + 1)}`)();
  }
  throw new Error(`no end of ${begin}`);
}

/// A number of a form may have a fraction, says the specification, and two of the schemas say `integer`; the suite mends them too.
function mended(schema) {
  const number = (schema.$defs ?? schema.definitions).NumberSchema?.properties ?? {};
  for (const name of ['default', 'maximum', 'minimum']) if (number[name]?.type === 'integer') number[name].type = 'number';
  return schema;
}

/// That of 2024-11-05 is not in the package. What the next revision allowed that this one forbids: audio, and batches.
function oldest(next) {
  const schema = structuredClone(next);
  for (const name of ['AudioContent', 'JSONRPCBatchRequest', 'JSONRPCBatchResponse']) delete schema.definitions[name];
  const without = (node) => {
    if (Array.isArray(node)) return node.filter((one) => !/\/(AudioContent|JSONRPCBatch\w+)$/.test(one?.$ref ?? '')).map(without);
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, without(value)]));
  };
  return without(schema);
}

/// Validates what a server sends in one revision.
export class Schemas {
  #ajv;
  #defs;
  #at;

  constructor(revision, schema) {
    this.revision = revision;
    this.#ajv = validator(schema);
    this.#ajv.addSchema({ ...schema, $id: 'mcp:schema' });
    this.#at = schema.$defs ? '$defs' : 'definitions';
    this.#defs = schema[this.#at];
    this.byMethod = {};
    this.byCode = {};
    for (const [name, one] of Object.entries(this.#defs)) {
      const method = one.properties?.method?.const;
      if (typeof method === 'string') this.byMethod[method] = name;
      for (const part of one.properties?.error?.allOf ?? []) if (part.properties?.code?.const) this.byCode[part.properties.code.const] = name;
    }
  }

  static all() {
    const found = extract();
    found['2024-11-05'] = oldest(found['2025-03-26']);
    return Object.fromEntries(REVISIONS.map((revision) => [revision, new Schemas(revision, found[revision])]));
  }

  /// What is wrong with a value of that type: lines that name the path.
  errors(type, value) {
    if (!(type in this.#defs)) return [`${this.revision} has no type ${type}`];
    const valid = this.#ajv.getSchema(`mcp:schema#/${this.#at}/${type}`);
    return valid(value) ? [] : valid.errors.map((error) => `${type}${error.instancePath}: ${error.message}`);
  }

  /// What is wrong with a message from the server; `method` is that of the request which a response answers.
  message(message, method) {
    if ('method' in message) {
      const type = this.byMethod[message.method];
      if (!type) return [`${this.revision} has no ${message.method}`];
      return [...this.errors('id' in message ? 'JSONRPCRequest' : 'JSONRPCNotification', message), ...this.errors(type, message)];
    }
    if ('error' in message) {
      const type = ['JSONRPCErrorResponse', 'JSONRPCError'].find((name) => name in this.#defs);
      const own = this.byCode[message.error?.code];
      return [...this.errors(type, message), ...(own ? this.errors(own, message) : [])];
    }
    const type = ['JSONRPCResultResponse', 'JSONRPCResponse'].find((name) => name in this.#defs);
    return [...this.errors(type, message), ...this.#result(message.result, method)];
  }

  #result(result, method) {
    if (result?.resultType === 'task' || method?.startsWith('tasks/')) return task(result, method);
    if (result?.resultType === 'input_required') return this.errors('InputRequiredResult', result);
    const own = this.byMethod[method]?.replace(/Request$/, 'Result');
    return this.errors(own in this.#defs ? own : 'EmptyResult', result);
  }
}

const TASK = {
  type: 'object',
  properties: {
    resultType: { type: 'string' },
    taskId: { type: 'string', minLength: 1 },
    status: { enum: ['working', 'input_required', 'completed', 'cancelled', 'failed'] },
    statusMessage: { type: 'string' },
    createdAt: { type: 'string', format: 'date-time' },
    lastUpdatedAt: { type: 'string', format: 'date-time' },
    ttlMs: { type: ['integer', 'null'], minimum: 0 },
    pollIntervalMs: { type: 'integer', minimum: 0 },
    inputRequests: { type: 'object', minProperties: 1 },
    result: { type: 'object' },
    error: { type: 'object', required: ['code', 'message'] },
  },
  required: ['resultType', 'taskId', 'status', 'createdAt', 'lastUpdatedAt', 'ttlMs'],
};
const validTask = validator({}).compile(TASK);

/// The shapes of the extension of tasks, which is in no schema of the core.
function task(result, method) {
  if (method === 'tasks/update' || method === 'tasks/cancel') {
    const others = Object.keys(result).filter((key) => key !== 'resultType' && key !== '_meta');
    return result.resultType === 'complete' && !others.length ? [] : [`${method}: expected an empty result, got ${JSON.stringify(result)}`];
  }
  const lines = validTask(result) ? [] : validTask.errors.map((error) => `task${error.instancePath}: ${error.message}`);
  const expected = method === 'tasks/get' ? 'complete' : 'task';
  if (result.resultType !== expected) lines.push(`task/resultType: expected ${expected}, got ${result.resultType}`);
  const more = { input_required: 'inputRequests', completed: 'result', failed: 'error' };
  for (const [status, member] of Object.entries(more)) {
    if (method === 'tasks/get' && (result.status === status) !== (member in result)) lines.push(`task/${member}: it goes with ${status}, got ${result.status}`);
  }
  return lines;
}

/// Where there is a `null`: a client may refuse it where the member is optional. What the application itself said is passed over.
export function nulls(value, path = '') {
  if (value === null) return [path];
  if (typeof value !== 'object' || /\/(structuredContent|_meta|default|enum|const)$/.test(path)) return [];
  return Object.entries(value).flatMap(([key, one]) => nulls(one, `${path}/${key}`));
}
