// `node unpack.mjs PLACE`: unpacks the browsers that npm brought, each into a folder of its own beside `node_modules`. A folder that is
// there is whole: it gets its name at the end.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const place = path.resolve(process.argv[2]);
for (const name of ['chromium', 'chromium-private-network']) {
  const from = path.join(place, 'node_modules', name);
  const { version } = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
  const to = path.join(place, `${name}-${version}`);
  if (fs.existsSync(to)) continue;
  const partial = `${to}.partial`;
  fs.rmSync(partial, { recursive: true, force: true });
  fs.mkdirSync(partial);
  // The program, its libraries (al2023), and a font. A page that is never drawn needs no more.
  for (const file of ['chromium', 'al2023.tar', 'fonts.tar']) {
    const out = path.join(partial, file);
    fs.writeFileSync(out, zlib.brotliDecompressSync(fs.readFileSync(path.join(from, 'bin', `${file}.br`))), { mode: 0o755 });
    if (!file.endsWith('.tar')) continue;
    execFileSync('tar', ['-xf', out, '-C', partial]);
    fs.rmSync(out);
  }
  const config = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${to}/fonts</dir><cachedir>${to}/cache</cachedir></fontconfig>`;
  fs.writeFileSync(path.join(partial, 'fonts.conf'), config);
  fs.renameSync(partial, to);
}
