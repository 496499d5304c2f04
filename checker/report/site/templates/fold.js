// Proofs: a button opens or closes all of them.
// A link to a place in one opens it, also where the browser does not do so by itself.
(() => {
  const proofs = document.querySelectorAll("details.proof");
  const button = document.querySelector("[data-fold]");

  function name() {
    button.textContent = [...proofs].some(proof => !proof.open) ? "Open all proofs" : "Close all proofs";
  }

  function reveal() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const proof = place?.closest("details:not([open])");
    if (!proof) return;
    proof.open = true;
    place.scrollIntoView();
  }

  if (proofs.length) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = [...proofs].some(proof => !proof.open);
      for (const proof of proofs) proof.open = open;
    });
    for (const proof of proofs) proof.addEventListener("toggle", name);
    name();
  }
  addEventListener("hashchange", reveal);
  reveal();
})();
