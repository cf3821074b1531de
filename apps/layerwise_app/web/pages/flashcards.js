// Shows the cards that are due, one at a time. What FSRS knows of each card is kept in this browser and nowhere else.
const KEY = "layerwise.flashcards";
const VERSION = 1;
const MORE = 10;
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const lessons = Object.fromEntries([...part("lesson").options].map((option) => [option.value, option.text]));
let shown = null; // The card that is looked at: { name, outcomes }
let former = null; // What was kept before the last rating, for taking it back
let isKept = true;

function today() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

function check(value) {
  const isCard = (card) => !Number.isNaN(Date.parse(card?.due));
  if (value?.version !== VERSION || !value.cards || !Object.values(value.cards).every(isCard)) throw new Error();
  return { perDay: MORE, ...value };
}

// Read anew each time, since another tab may have written.
function read() {
  let kept = { version: VERSION, cards: {}, perDay: MORE };
  try {
    kept = check(JSON.parse(localStorage.getItem(KEY)));
  } catch {
    // Nothing is kept yet, or something that cannot be read.
  }
  if (kept.day?.date !== today()) kept.day = { date: today(), introduced: 0, more: 0 };
  return kept;
}

function write(kept) {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    isKept = false;
  }
}

function plan(kept) {
  const lesson = part("lesson").value;
  const deck = props.deck.filter((card) => !lesson || card.lesson === lesson);
  const due = (card) => Date.parse(kept.cards[card.name].due);
  const known = deck.filter((card) => kept.cards[card.name]).sort((one, other) => due(one) - due(other));
  const isNew = deck.filter((card) => !kept.cards[card.name]);
  const left = Math.max(0, kept.perDay + kept.day.more - kept.day.introduced);
  return {
    due: known.filter((card) => due(card) <= Date.now()),
    later: known.filter((card) => due(card) > Date.now()),
    fresh: isNew.slice(0, left),
    isNew,
    known,
    size: deck.length,
  };
}

function say(text) {
  part("note").hidden = !text;
  part("note").textContent = text;
}

async function ask(name, argument) {
  const answer = (await server[name](argument)) ?? { error: "The server did not answer. Is it still running?" };
  say(answer.error ?? (isKept ? "" : "This browser keeps nothing, so what you learn is forgotten when the page is left."));
  return answer.error ? null : answer;
}

async function next() {
  const kept = read();
  const found = plan(kept);
  const card = found.due[0] ?? found.fresh[0];
  part("counts").textContent =
    `${found.due.length} due, ${found.fresh.length} new today, ${found.known.length} of ${found.size} learned`;
  part("bar").max = Math.max(found.size, 1);
  part("bar").value = found.known.length;
  part("undo").hidden = !former;
  part("card").hidden = !card;
  part("done").hidden = Boolean(card);
  shown = null;
  reveal(false);
  if (!card) return finish(found);
  part("card").ariaBusy = "true";
  const answer = await ask("look", { name: card.name, state: kept.cards[card.name] ?? null, now: new Date().toISOString() });
  if (!answer) return undefined;
  shown = { name: card.name, outcomes: answer.outcomes };
  part("about").textContent = `${lessons[card.lesson] ?? "Card"} · ${kept.cards[card.name] ? "due" : "new"}`;
  part("front").innerHTML = answer.front;
  part("back").innerHTML = answer.back;
  part("link").hidden = !lessons[card.lesson];
  part("link").href = `./learn?lesson=${card.lesson}`;
  answer.outcomes.forEach((outcome, index) => {
    element.querySelector(`[data-rating="${index}"] span`).textContent = outcome.interval;
  });
  part("card").ariaBusy = "false";
  return undefined;
}

function finish(found) {
  const back = found.later[0] && new Date(Date.parse(read().cards[found.later[0].name].due));
  const isToday = back?.toDateString() === new Date().toDateString();
  const when = isToday ? { hour: "2-digit", minute: "2-digit" } : { weekday: "long", day: "numeric", month: "long" };
  part("when").textContent = back
    ? `The next card comes back ${isToday ? "at" : "on"} ${back.toLocaleString("en-GB", when)}.`
    : "";
  part("more").hidden = !found.isNew.length;
}

function reveal(isShown) {
  part("answer").hidden = part("ratings").hidden = !isShown;
  part("show").hidden = isShown;
}

function show() {
  if (!shown || !part("answer").hidden) return;
  reveal(true);
  part("answer").focus({ preventScroll: true });
}

async function rate(index) {
  if (!shown || part("answer").hidden) return;
  const kept = read();
  former = structuredClone(kept);
  if (!kept.cards[shown.name]) kept.day.introduced += 1;
  kept.cards[shown.name] = shown.outcomes[index].state;
  write(kept);
  await next();
  part("show").focus({ preventScroll: true });
}

function download(kept) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(kept, null, 1)], { type: "application/json" }));
  link.download = `flashcards-${today()}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function restore(file) {
  try {
    write(check(JSON.parse(await file.text())));
  } catch {
    return say("This file holds no progress of flashcards. Choose one that was exported here.");
  }
  former = null;
  return begin();
}

function begin() {
  part("per-day").value = read().perDay;
  return next();
}

const actions = {
  show,
  undo() {
    write(former);
    former = null;
    return next();
  },
  more() {
    const kept = read();
    kept.day.more += Math.max(0, kept.day.introduced - kept.perDay - kept.day.more) + MORE;
    write(kept);
    return next();
  },
  export: () => download(read()),
  import: () => part("file").click(),
  reset: () => (part("confirm").hidden = false),
  keep: () => (part("confirm").hidden = true),
  forget() {
    localStorage.removeItem(KEY);
    former = null;
    part("confirm").hidden = true;
    return begin();
  },
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.rating) rate(Number(button.dataset.rating));
  else if (button) actions[button.dataset.part ?? button.dataset.action]?.();
});
part("lesson").addEventListener("change", () => {
  former = null;
  const address = new URL(window.location);
  address.searchParams.set("lesson", part("lesson").value);
  window.history.replaceState(window.history.state, "", address);
  next();
});
part("per-day").addEventListener("change", () => {
  const kept = read();
  kept.perDay = Math.min(Math.max(Math.round(Number(part("per-day").value)) || 0, 0), 999);
  write(kept);
  begin();
});
part("file").addEventListener("change", () => {
  const [file] = part("file").files;
  part("file").value = ""; // The same file can be chosen again.
  if (file) restore(file);
});
document.addEventListener("keydown", (event) => {
  if (!element.isConnected || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
  if (event.key === " " && !event.target.closest("button, a, summary")) {
    event.preventDefault();
    show();
  } else if (/^[1-4]$/.test(event.key)) rate(Number(event.key) - 1);
});
// A card that is due in a minute appears by itself.
setInterval(() => {
  if (element.isConnected && !part("done").hidden && plan(read()).due.length) next();
}, 5_000);

const wanted = new URLSearchParams(window.location.search).get("lesson");
if (wanted in lessons) part("lesson").value = wanted;
begin();
