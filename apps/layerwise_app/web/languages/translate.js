// The page in another language. The words on it are English, whoever puts them there and whenever; this script looks
// each text and each spoken attribute up in the catalogue of the language, now and whenever one changes. It runs before
// the browser paints, so nobody sees both. The English text is remembered, for going back to it.
(() => {
  const page = window.layerwise;
  const ATTRIBUTES = ["placeholder", "aria-label", "title", "alt", "label"];
  // What is no text to read, or not in words.
  const SKIPPED = "script, style, noscript, template, code, pre, [contenteditable=true], [translate=no]";
  // What stays in the language that it was written in: lessons and cards, descriptions of models, what networks and
  // people say, names of labels. It is marked as that for screen readers and for translators.
  const CONTENT = [
    ".lw-prose",
    ".lw-rich:not(.lw-inside .lw-rich)",
    ".lw-lesson-page > :not(nav)",
    ".lw-card-line",
    ".lw-options",
    ".lw-quote",
    ".lw-examples button",
    ".lw-answer .lw-name",
    ".lw-best strong",
    ".lw-answers td",
    ".lw-found li",
    ".lw-told",
    ".lw-agreement b",
    ".lw-conversation .message",
    ".lw-tokens p",
    ".lw-letters",
    ".lw-report td",
    ".lw-report ul",
    ".lw-seen",
    ".lw-graph b",
  ].join(", ");
  // What may be a name or a figure as well as a word: it is put into words where they are known, and is not missed.
  const NAMES = "svg, .lw-pictures, .lw-barlist, .lw-graph, .lw-inside figure, .lw-inside td";
  // Words that style sheets put before or behind figures.
  const STYLED = { epoch: ["", " "], version: ["", ": "], parameters: [" ", ""] };
  const MOST_REMEMBERED = 5000;
  const LONGEST = 1000;
  const DEEPEST = 7;
  const SHORT = 8;
  const PARTS = [
    [/(?<=[.!?…]) (?=[^\s\d])/, " "],
    [/\s*·\s*/, " · "],
  ];
  const NUMBER = "[-+−±]?\\d[\\d.,]*(?:e[-+]?\\d+)?(?: ?%)?";
  const has_words = (text) => /\p{L}{2}/u.test(text);
  // An id, a path, an address, a version, a name as programs have them.
  const is_name = (text) => /^\S*[\w)][/_:@=.]\S*\w$|^\S*\d\S*$/.test(text);

  class Catalogue {
    constructor(words) {
      this.exact = new Map();
      this.by_word = new Map();
      this.by_number = [];
      this.others = [];
      this.known = new Map();
      for (const [text, said] of Object.entries(words)) {
        if (/\{\w+\}/.test(text)) this.add_pattern(text, said);
        else this.exact.set(text, said);
      }
      const literal = (pattern) => pattern.text.replace(/\{\w+\}/g, "").length;
      for (const list of [...this.by_word.values(), this.by_number, this.others]) {
        list.sort((one, other) => literal(other) - literal(one));
      }
    }

    // The texts to try are those that begin with the same word, or with a number, or with anything.
    add_pattern(text, said) {
      const pattern = { text, said, regex: null, names: null };
      const first = /^[^\s{]+(?= )/.exec(text)?.[0];
      if (first) this.by_word.set(first, [...(this.by_word.get(first) ?? []), pattern]);
      else if (/^\{n\d*\}/.test(text)) this.by_number.push(pattern);
      else this.others.push(pattern);
    }

    // What a text is in this language; null where that is not known.
    look_up(text, depth = 0) {
      let found = this.known.get(text);
      if (found === undefined) {
        found = this.find_words(text);
        if (found === null && depth < DEEPEST) found = this.find_parts(text, depth) ?? this.find_pattern(text, depth);
        if (this.known.size >= MOST_REMEMBERED) this.known.clear();
        this.known.set(text, found);
      }
      return found;
    }

    // A text that begins with a capital letter is also known by the one that does not.
    find_words(text) {
      const found = this.exact.get(text);
      if (found !== undefined) return found;
      const lower = this.exact.get(text.charAt(0).toLowerCase() + text.slice(1));
      return lower === undefined ? null : lower.charAt(0).toUpperCase() + lower.slice(1);
    }

    find_pattern(text, depth) {
      if (text.length > LONGEST) return null;
      const of_word = this.by_word.get(text.slice(0, (text.indexOf(" ") + 1 || text.length + 1) - 1)) ?? [];
      const of_number = /^[-+−±]?\d/.test(text) ? this.by_number : [];
      for (const pattern of [...of_word, ...of_number, ...this.others]) {
        const said = this.filled(pattern, text, depth);
        if (said !== null) return said;
      }
      return null;
    }

    // {n} stands for a number, {words} for a text that the catalogue knows, any other name for any text.
    filled(pattern, text, depth) {
      if (!pattern.regex) {
        pattern.names = [...pattern.text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
        const parts = pattern.text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
        // Of "by {name}" the rest is a single word: it would be found in many a sentence.
        const is_short = parts.join("").length < SHORT && !pattern.names.some((name) => name.startsWith("words"));
        const any = is_short ? "(\\S+)" : "(.+?)";
        const hole = (name) => (/^n\d*$/.test(name) ? `(${NUMBER})` : name.startsWith("words") ? "(.+)" : any);
        const holes = pattern.names.map(hole);
        pattern.regex = new RegExp(`^${parts.map((part, at) => part + (holes[at] ?? "")).join("")}$`);
      }
      const match = pattern.regex.exec(text);
      if (!match) return null;
      const values = {};
      for (const [at, name] of pattern.names.entries()) {
        const value = match[at + 1];
        const said = has_words(value) ? this.look_up(value, depth + 1) : value;
        if (said === null && name.startsWith("words") && !is_name(value)) return null;
        values[name] = said ?? value;
      }
      return pattern.said.replace(/\{(\w+)\}/g, (_, name) => values[name]);
    }

    // Several sentences, or facts with dots between them, each of which is known.
    find_parts(text, depth) {
      for (const [between, glue] of PARTS) {
        const parts = text.split(between);
        if (parts.length < 2) continue;
        const said = parts.map((part) => (has_words(part) && !is_name(part) ? this.look_up(part, depth + 1) : part));
        if (!said.includes(null)) return said.join(glue);
      }
      return null;
    }
  }

  let catalogue = null;
  // Of texts and of the attributes of elements: the English, and what was made of it.
  const texts = new WeakMap();
  const attributes = new WeakMap();

  function said_of(english) {
    const text = english.replace(/\s+/g, " ").trim();
    if (!catalogue || !has_words(text)) return english;
    const said = catalogue.look_up(text);
    if (said === null) return english;
    return english.match(/^\s*/)[0] + said + english.match(/\s*$/)[0];
  }

  function see_text(node) {
    const known = texts.get(node);
    const english = known && known.said === node.data ? known.english : node.data;
    if (!known && (!catalogue || !has_words(english))) return;
    const parent = node.parentNode;
    if (parent?.nodeName === "TEXTAREA") return;
    // What an option without a value stands for is its text.
    if (parent?.nodeName === "OPTION" && !parent.hasAttribute("value")) parent.setAttribute("value", english.trim());
    const said = said_of(english);
    if (said !== english || known) texts.set(node, { english, said });
    if (said !== node.data) node.data = said;
  }

  function see_attributes(element) {
    for (const name of ATTRIBUTES) {
      const value = element.getAttribute(name);
      if (!value) continue;
      const known = attributes.get(element)?.[name];
      const english = known && known.said === value ? known.english : value;
      const said = said_of(english);
      if (said === english && !known) continue;
      attributes.set(element, { ...attributes.get(element), [name]: { english, said } });
      if (said !== value) element.setAttribute(name, said);
    }
  }

  // The field of a list shows one of its choices: in words, while Gradio reads and writes the English ones.
  const VALUE = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  const fields = new WeakMap();

  function see_choice(field) {
    if (!fields.has(field)) {
      fields.set(field, {});
      Object.defineProperty(field, "value", {
        configurable: true,
        get() {
          const { english, said } = fields.get(field);
          const value = VALUE.get.call(field);
          return value === said ? english : value;
        },
        set(english) {
          const said = said_of(String(english ?? ""));
          fields.set(field, { english, said });
          VALUE.set.call(field, said);
        },
      });
    }
    field.value = field.value;
  }

  // A root, and the texts and elements below it that are to be seen to.
  function* parts_of(root) {
    const wanted = (node) => {
      if (node.nodeType !== Node.ELEMENT_NODE) return NodeFilter.FILTER_ACCEPT;
      if (node.matches(CONTENT) && !node.matches(SKIPPED)) {
        node.setAttribute("translate", "no");
        node.lang ||= "en";
      }
      return node.matches(SKIPPED) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
    };
    if (wanted(root) === NodeFilter.FILTER_REJECT) return;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, wanted);
    for (let node = root; node; node = walker.nextNode()) yield node;
  }

  function see(root) {
    for (const node of parts_of(root)) {
      if (node.nodeType !== Node.ELEMENT_NODE) see_text(node);
      else {
        see_attributes(node);
        if (node.matches("input[role=listbox]")) see_choice(node);
      }
    }
  }

  const observer = new MutationObserver((records) => {
    const changed = new Set();
    const respoken = new Set();
    for (const { type, target, addedNodes } of records) {
      if (type === "attributes") respoken.add(target);
      else if (type === "childList") addedNodes.forEach((node) => changed.add(node));
      else changed.add(target);
    }
    const is_seen = (node) => node.isConnected && !node.parentElement?.closest(SKIPPED);
    const has_text = (node) => node.nodeType === Node.ELEMENT_NODE || node.nodeType === Node.TEXT_NODE;
    for (const node of changed) if (has_text(node) && is_seen(node)) see(node);
    for (const element of respoken) if (is_seen(element) && !element.matches(SKIPPED)) see_attributes(element);
    // What was just done here is nothing new.
    observer.takeRecords();
  });

  // Into the language of the page, from whichever it is in.
  page.translate = async () => {
    const code = page.language;
    const words = code === "en" ? null : await page.words;
    if (code !== page.language) return;
    catalogue = words && new Catalogue(words);
    for (const [word, [before, after]] of Object.entries(STYLED)) {
      document.documentElement.style.setProperty(`--lw-word-${word}`, JSON.stringify(before + said_of(word) + after));
    }
    see(document.documentElement);
    observer.takeRecords();
    observer.observe(document.documentElement, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
      attributeFilter: ATTRIBUTES,
    });
    document.documentElement.dataset.language = code;
  };

  // The texts that can be seen, or heard, and are not in the catalogue; names aside.
  page.untranslated = () => {
    const found = new Set();
    const note = (english) => {
      const text = english.replace(/\s+/g, " ").trim();
      if (has_words(text) && !is_name(text) && catalogue.look_up(text) === null) found.add(text);
    };
    for (const node of parts_of(document.documentElement)) {
      const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
      const is_title = element.nodeName === "TITLE";
      const is_shown = element.checkVisibility({ visibilityProperty: true }) && !element.closest(NAMES);
      // What a chart is called is its caption, too; the rest of its label is figures.
      if ((!is_title && !is_shown) || node.nodeName === "FIGURE") continue;
      if (node !== element) {
        if (element.nodeName !== "TEXTAREA") note(texts.get(node)?.english ?? node.data);
      } else {
        for (const name of ATTRIBUTES) {
          if (element.hasAttribute(name)) note(attributes.get(element)?.[name]?.english ?? element.getAttribute(name));
        }
      }
    }
    return [...found];
  };

  page.translate();
})();
