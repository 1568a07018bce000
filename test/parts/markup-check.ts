/** Whether a page is well-formed: tags close in order, attributes are quoted, names are unique, nothing is fetched. */

const VOID: ReadonlySet<string> = new Set(['meta', 'link', 'br', 'hr', 'img', 'input']);
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z:-]+="[^"<>]*")*)\s*(\/?)>/y;

/** What is wrong with a page, in words; empty when nothing is. */
export function faultsOfMarkup(page: string): readonly string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  const body = page.replace(/^<!doctype html>/i, '').replace(/<style>[^<]*<\/style>/g, '');
  for (let at = 0; at < body.length;) {
    const next = body.indexOf('<', at);
    if (next < 0) break;
    TAG.lastIndex = next;
    const found = TAG.exec(body);
    if (found === null) {
      faults.push(`no tag: ${body.slice(next, next + 60)}`);
      at = next + 1;
      continue;
    }
    at = TAG.lastIndex;
    const [, closing, name = '', attributes = '', alone] = found;
    for (const [, id = ''] of attributes.matchAll(/\sid="([^"]*)"/g)) {
      if (ids.has(id)) faults.push(`the id ${id} is there twice`);
      ids.add(id);
    }
    if (closing === '/') {
      const last = open.pop();
      if (last !== name) faults.push(`</${name}> closes <${last ?? 'nothing'}>`);
    } else if (alone !== '/' && !VOID.has(name.toLowerCase())) open.push(name);
  }
  if (open.length > 0) faults.push(`left open: ${open.join(', ')}`);
  return faults;
}

/** Everything in a page that a browser would fetch, or run. */
export function outsideReferences(page: string): readonly string[] {
  const fetched =
    /<script\b|\bsrc="[^"]*"|\bhref="[^#"][^"]*"|url\((?!#)[^)]*\)|@import\b|<(?:link|iframe|object|embed|base)\b|\son[a-z]+="/gi;
  return page.match(fetched) ?? [];
}
