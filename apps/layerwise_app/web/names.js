// What Gradio leaves without what a screen reader needs: a picture to click has no name, a box without one no role.
const repaired = () => {
  for (const button of document.querySelectorAll(".image-container button:not([aria-label]):has(img)")) {
    button.ariaLabel = "Picture";
  }
  for (const box of document.querySelectorAll(".empty[aria-label]:not([role])")) box.role = "img";
};
let repairing = 0;
new MutationObserver(() => {
  repairing ||= requestAnimationFrame(() => {
    repairing = 0;
    repaired();
  });
}).observe(document.body, { childList: true, subtree: true });
repaired();
