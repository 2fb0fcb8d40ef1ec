import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** `UPDATE_DOCS=1 npx vitest run test/docs.test.ts` writes what the examples print into the pages. */
const isUpdate = process.env['UPDATE_DOCS'] !== undefined;

const pages = [
  'README.md',
  ...(readdirSync(join(ROOT, 'docs'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Block {
  readonly language: string;
  readonly body: string;
  readonly start: number;
  readonly end: number;
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1],
    body: match[2],
    start: match.index,
    end: match.index + match[0].length,
  }));
}

const MARK = '\u0001';

/** Runs the TypeScript blocks of a page as one program and returns what each printed. */
function runPage(blocks: readonly Block[]): string[] {
  const source = blocks.map(({ body }, i) => `${body}\nconsole.log('${MARK}${i}');`).join('\n');
  const js = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', js], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) expect.fail(stderr);
  return stdout.split(new RegExp(`${MARK}\\d+\\n`)).slice(0, blocks.length);
}

/** Runs the `$ npx fabricplan …` lines of a console block and gives the block as it should be. */
function runConsole(body: string): string {
  const commands = body.split('\n').filter((line) => line.startsWith('$ '));
  return commands
    .map((line) => {
      const command = line.slice(2).replace(/^npx fabricplan/, `"${process.execPath}" "${join(ROOT, 'dist/cli/main.js')}"`);
      const { stdout, stderr } = spawnSync('bash', ['-c', command], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      return `${line}\n${stdout}${stderr}`;
    })
    .join('');
}

describe.runIf(existsSync(join(ROOT, 'dist/index.js')))('documentation', () => {
  it.each(pages)('%s: examples run and print what it says', (page) => {
    let text = readFileSync(join(ROOT, page), 'utf8');
    const blocks = blocksOf(text);
    const code = blocks.filter(({ language }) => language === 'ts');
    const printed = code.length > 0 ? runPage(code) : [];
    const edits: { start: number; end: number; replacement: string }[] = [];
    blocks.forEach((block, i) => {
      const before = blocks[i - 1];
      let actual: string | undefined;
      if (block.language === 'console') actual = runConsole(block.body);
      else if (block.language === 'text' && before?.language === 'ts' && text.slice(before.end, block.start).trim() === '')
        actual = printed[code.indexOf(before)];
      if (actual === undefined) return;
      if (isUpdate)
        edits.push({ start: block.start, end: block.end, replacement: `\`\`\`${block.language}\n${actual.replace(/\n*$/, '\n')}\`\`\`` });
      else expect(actual.trim()).toBe(block.body.trim());
    });
    if (!isUpdate) return;
    for (const { start, end, replacement } of edits.reverse()) text = text.slice(0, start) + replacement + text.slice(end);
    writeFileSync(join(ROOT, page), text);
  });
  it('has links that lead somewhere', () => {
    for (const page of pages) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g))
        expect(existsSync(join(ROOT, page, '..', target)), `${page} links to ${target}`).toBe(true);
    }
  });
});
