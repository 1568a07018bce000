/** Elements of SVG as text, with everything escaped that is not markup of ours. */

/** Markup that may stand in a page as it is. */
export type MarkupText = string & { readonly markup: unique symbol };

type Attributes = Readonly<Record<string, string | number | undefined>>;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML knows no way to write are left out. */
// eslint-disable-next-line no-control-regex
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Text with what is markup in HTML and XML written out. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** Text that may stand between tags and in attributes of SVG. */
export function escaped(text: string): MarkupText {
  return escapeMarkup(text.replace(UNWRITABLE, '')) as MarkupText;
}

/** An element; attributes that are undefined are left out, figures are rounded to hundredths. */
export function element(
  name: string,
  attributes: Attributes,
  children: readonly MarkupText[] = [],
): MarkupText {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? figure(value) : escaped(String(value))}"`)
    .join('');
  const inner = children.join('');
  return (inner === '' ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`) as MarkupText;
}

/** A figure in hundredths, as short as can be. */
export function figure(value: number): string {
  return String(Math.round(value * 100) / 100);
}
