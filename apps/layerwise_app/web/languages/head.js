// Before all other scripts of a page: which language it is in. What visitors chose comes first, then what their browser
// asks for. Gradio reads the browser's language for words of its own, which are to be in the same one.
(() => {
  const OFFERED = ["OFFERED"];
  const KEY = "layerwise-language";
  const base = (tag) => tag.toLowerCase().split("-")[0];
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // A browser may keep nothing.
  }
  const asked = navigator.languages.map(base);
  const code = [chosen, ...asked].find((item) => OFFERED.includes(item)) ?? "en";
  const page = (window.layerwise ??= {});

  function say(code) {
    page.language = code;
    document.documentElement.lang = code;
  }

  // English is what stands on the pages: who reads it loads nothing.
  page.load = (code) => {
    page.words = fetch(`./languages/${code}.json`).then((answer) => answer.json());
    if (page.translate) return page.translate();
    const script = document.createElement("script");
    script.src = "./languages/translate.js";
    document.head.append(script);
  };

  page.choose = (code) => {
    try {
      localStorage.setItem(KEY, code);
    } catch {
      // It lasts until the page is left, then.
    }
    say(code);
    if (code !== "en") page.load(code);
    else page.translate?.();
  };

  say(code);
  if (base(navigator.language) !== code) {
    Object.defineProperty(navigator, "language", { configurable: true, get: () => page.language });
    Object.defineProperty(navigator, "languages", { configurable: true, get: () => [page.language] });
  }
  if (code !== "en") page.load(code);
})();
