// Names of parts that Material adds when a page is open, for those who hear it.
const name = () => {
  document.querySelectorAll(".md-code__nav").forEach((one, i) => {
    one.setAttribute("aria-label", `Code ${i + 1}`);
  });
};
new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
name();
