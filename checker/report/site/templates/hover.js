// What a name of Coq is, shown beside it when it is pointed at or has the focus; Esc hides it.
// The types are a script, asked for at the first use: a page opened from a file may read nothing else.
(() => {
  const home = document.currentScript.src;
  const tip = document.createElement("div");
  const WORDS = ".code a[href*='#'], .code .stated";
  const GAP = 4, WAIT = 120;
  let wanted = null, shown = null, leaving = 0;

  tip.id = "type-of-name";
  tip.role = "tooltip";
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);

  function types() {
    wanted ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("types.js", home);
      script.onload = () => done(globalThis.absenceTypes);
      script.onerror = failed;
      document.head.append(script);
    });
    return wanted;
  }

  function place(word) {
    const link = new URL(word.href ?? `#${encodeURIComponent(word.id)}`, location.href);
    const file = decodeURIComponent(link.pathname.split("/").pop()).replace(/\.html$/, ".v");
    return [file, decodeURIComponent(link.hash.slice(1))];
  }

  async function show(word) {
    clearTimeout(leaving);
    if (shown === word) return;
    hide();
    shown = word;
    const [file, anchor] = place(word);
    const told = await types().then(all => all[file]?.[anchor], () => null);
    if (!told || shown !== word) return;
    const [who, text] = told;
    const code = document.createElement("pre");
    code.textContent = who === "Coq" ? `${anchor.split("@")[0]} : ${text}` : text;
    const note = document.createElement("p");
    note.textContent = who === "Coq" ? "Its type, says Coq" : "As its source states it";
    tip.replaceChildren(code, note);
    tip.hidden = false;
    word.setAttribute("aria-describedby", tip.id);
    put(word.getBoundingClientRect());
  }

  function put(at) {
    const wide = document.documentElement.clientWidth;
    const below = at.bottom + GAP, above = at.top - GAP - tip.offsetHeight;
    const top = below + tip.offsetHeight > innerHeight && above >= 0 ? above : below;
    tip.style.left = `${Math.max(GAP, Math.min(at.left, wide - tip.offsetWidth - GAP)) + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
  }

  function hide() {
    clearTimeout(leaving);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  }

  for (const begins of ["pointerover", "focusin"]) {
    document.addEventListener(begins, event => {
      const word = event.target.closest(WORDS);
      if (word) show(word);
      else if (tip.contains(event.target)) clearTimeout(leaving);
    });
  }
  document.addEventListener("pointerout", event => {
    // The pointer may go on to what is shown.
    if (event.target.closest(WORDS) || tip.contains(event.target)) leaving = setTimeout(hide, WAIT);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") hide();
  });
})();
