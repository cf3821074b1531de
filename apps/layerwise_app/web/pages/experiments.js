// The experiments of one page: their settings are kept in the address (../experiments.js).
function about(section) {
  return { experiment: section.dataset.experiment };
}

rememberSettings();
ask("open", { settings: rememberedSettings() }).then((answer) => {
  part("problem").hidden = !answer.error;
  part("problem").textContent = answer.error ?? "";
  part("experiments").innerHTML = answer.html ?? "";
});
