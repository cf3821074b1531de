// The tour that is under way in this tab, at the foot of every page: where one is, what to do here, and the way on.
(() => {
  const key = "layerwise-tour";
  let tour = null;
  try {
    tour = JSON.parse(sessionStorage.getItem(key));
  } catch {
    sessionStorage.removeItem(key);
  }
  if (!tour?.stages?.[tour.at] || document.querySelector(".lw-tour-bar")) return;

  const make = (name, words, options = {}) => Object.assign(document.createElement(name), { textContent: words, ...options });
  const button = (words, act, options) => {
    const made = make("button", words, { type: "button", ...options });
    made.addEventListener("click", act);
    return made;
  };
  const leave = () => {
    sessionStorage.removeItem(key);
    bar.remove();
    document.documentElement.style.removeProperty("--lw-tour-height");
  };
  const note = (reached) => {
    const kept = `layerwise-tour-${tour.name}`;
    localStorage.setItem(kept, Math.max(Number(localStorage.getItem(kept) ?? 0), reached));
  };
  const go = (number) => {
    tour.at = number;
    sessionStorage.setItem(key, JSON.stringify(tour));
    const target = new URL(tour.stages[number].place, document.baseURI);
    // Between two lessons only what stands behind the question mark changes, and the page would stay as it is.
    if (target.href === window.location.href) window.location.reload();
    else window.location.href = target.href;
  };

  const stage = tour.stages[tour.at];
  const last = tour.stages.length - 1;
  const bar = make("section", "", { className: "lw-tour-bar" });
  bar.setAttribute("aria-label", `Tour: ${tour.title}`);
  const said = make("div", "", { className: "lw-tour-said" });
  said.setAttribute("role", "status");
  said.append(make("b", `${tour.at + 1} of ${last + 1} · ${stage.title}`), make("span", stage.text));
  const ways = make("div", "", { className: "lw-tour-ways" });
  if (tour.at > 0) ways.append(button("Back", () => go(tour.at - 1)));
  ways.append(
    tour.at < last
      ? button("Next", () => go(tour.at + 1), { className: "lw-primary" })
      : button("Done", () => { note(last + 1); leave(); }, { className: "lw-primary" }),
    button("×", leave, { className: "lw-tour-leave", title: "Leave the tour", ariaLabel: "Leave the tour" }),
  );
  const progress = make("progress", "", { max: last + 1, value: tour.at + 1 });
  progress.setAttribute("aria-hidden", "true");
  bar.append(progress, said, ways);
  document.body.append(bar);
  note(tour.at + 1 > last ? last : tour.at + 1);
  // What lies below the bar can be scrolled up to above it.
  const measure = () => document.documentElement.style.setProperty("--lw-tour-height", `${bar.isConnected ? bar.offsetHeight : 0}px`);
  new ResizeObserver(measure).observe(bar);
})();
