// The experiments of one page: their settings are kept in the address (../experiments.js).
function about(section) {
  return { experiment: section.dataset.experiment };
}

element.addEventListener("input", (event) => {
  const section = event.target.closest("[data-experiment]");
  if (!section) return;
  remember(section);
  turned(section, event.target);
});
element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  const section = button?.closest("[data-experiment]");
  if (section) ({ run, stop })[button.dataset.action](section);
});
ask("open", { settings: rememberedSettings() }).then((answer) => {
  part("problem").hidden = !answer.error;
  part("problem").textContent = answer.error ?? "";
  part("experiments").innerHTML = answer.html ?? "";
});
