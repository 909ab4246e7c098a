// Words in the reader's language. The English text is the key; chat/words.py lists every text that modules ask for.

let words = { language: "en", texts: {}, plurals: {} };
let rules, digits, percents; // made when they are asked for: it takes a phone long, and few pages need all

/** Speak a language: `texts` by English text, `plurals` by English singular and then by plural category. */
export function speak(catalogue) {
  words = catalogue;
  rules = digits = percents = null;
}

/** The locale of dates and numbers: 24 hours, day before month, and Arabic digits in Arabic. */
export function locale() {
  return words.language === "ar" ? "ar-u-nu-arab" : "en-GB";
}

export function number(value) {
  digits ??= new Intl.NumberFormat(locale());
  return digits.format(value);
}

/** A share, 0.4, as 40%. */
export function percent(share) {
  percents ??= new Intl.NumberFormat(locale(), { style: "percent" });
  return percents.format(share);
}

/** A text; `{name}` in it is replaced by `values.name`. */
export function t(text, values = {}) {
  return fill(words.texts[text] || text, values);
}

/** The form of a text for a number, which stands in it as `{count}`. */
export function tn(one, many, count, values = {}) {
  const forms = words.plurals[one];
  const form = forms ? forms[pluralOf(count)] : count === 1 ? one : many;
  return fill(form, { count: number(count), ...values });
}

function pluralOf(count) {
  rules ??= new Intl.PluralRules(words.language);
  return rules.select(count);
}

/** The text without halves of characters, which nothing takes that wants UTF-8: an emoji cut in two leaves such. */
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}
