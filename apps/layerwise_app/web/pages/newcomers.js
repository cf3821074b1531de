// Cards of models that were not here at this browser's last visit say so. At the first visit nothing is new.
const KEY = "layerwise-models-seen";
const name = (card) => card.getAttribute("href");
const cards = () => [...element.querySelectorAll("a.lw-card")];

function seen() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || {};
  } catch {
    return {};
  }
}

// When each was seen first; what was seen within this visit stays new until the next one.
const before = seen();
const isFirst = Object.keys(before).length === 0;
const visit = Number(sessionStorage.getItem(KEY)) || Date.now();
sessionStorage.setItem(KEY, visit);

function mark() {
  const now = seen();
  for (const card of cards()) {
    now[name(card)] ??= isFirst ? 0 : Date.now();
    if (now[name(card)] >= visit && !card.querySelector(".lw-new")) {
      const badge = document.createElement("span");
      badge.className = "lw-badge lw-new";
      badge.textContent = "new";
      card.querySelector("h3").append(" ", badge);
    }
  }
  localStorage.setItem(KEY, JSON.stringify(now));
}

mark();
new MutationObserver(mark).observe(element, { childList: true, subtree: true });
