// The search in the header: / goes to it, arrows choose, Enter follows, Esc closes.
// What it looks through is a script, asked for at the first use: a page opened from a file may read nothing else.
(() => {
  const base = document.currentScript.src;
  const box = document.querySelector("[data-search]");
  const input = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  const status = box.querySelector("[role=status]");
  const MOST = 40, BEFORE = 30, AROUND = 150;
  let asked = null, entries = [], chosen = -1;

  box.hidden = false;

  const plain = text => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  const spaced = text => text.replace(/_/g, " ");

  function ask() {
    asked ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL("entries.js", base);
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    }).then(() => {
      entries = globalThis.absenceEntries.map(([kind, name, text, address]) =>
        ({ kind, name, text, address, low: spaced(plain(name)), all: plain(`${name} ${text} ${kind}`) }));
    });
    return asked;
  }

  // 0 is best: a claim's whole title, the name itself, words of a title, how the name begins, words of it;
  // then those of the statement.
  function rank(entry, words) {
    const whole = spaced(words.join(" ")), claim = entry.kind === "claim";
    if (claim && entry.low.endsWith(`. ${whole}`)) return 0;
    if (entry.low === whole) return 0.5;
    if (entry.low.startsWith(whole)) return 1;
    if (words.every(word => entry.low.includes(spaced(word)))) return claim ? 0.75 : 2;
    return words.every(word => entry.all.includes(word)) ? 3 : 4;
  }

  function find(words) {
    const ranked = entries.map(entry => [rank(entry, words), entry]).filter(([place]) => place < 4);
    const order = (a, b) => a[0] - b[0] || (a[0] < 3 ? a[1].name.length - b[1].name.length : 0);
    return ranked.sort(order).map(([, entry]) => entry);
  }

  function span(kind, text, words = []) {
    const element = document.createElement("span");
    element.className = kind;
    const low = text.toLowerCase();
    const spots = words.flatMap(word => {
      const at = low.indexOf(word);
      return at < 0 ? [] : [[at, at + word.length]];
    }).sort((a, b) => a[0] - b[0]);
    let at = 0;
    for (const [first, last] of spots) {
      if (first < at) continue;
      const mark = document.createElement("mark");
      mark.textContent = text.slice(first, last);
      element.append(text.slice(at, first), mark);
      at = last;
    }
    element.append(text.slice(at));
    return element;
  }

  function around(text, words) {
    const spots = words.map(word => text.toLowerCase().indexOf(word)).filter(at => at >= 0);
    const first = Math.max(0, Math.min(...spots, text.length) - BEFORE);
    const from = spots.length ? first : 0;
    const part = text.slice(from, from + AROUND);
    return (from ? "… " : "") + part + (from + AROUND < text.length ? " …" : "");
  }

  function show(found, words) {
    list.replaceChildren(...found.slice(0, MOST).map((entry, i) => {
      const option = document.createElement("li");
      option.role = "option";
      option.id = `found-${i}`;
      option.dataset.address = entry.address;
      option.append(span("what", entry.kind), span("name", entry.name, words), span("text", around(entry.text, words), words));
      return option;
    }));
    open(found.length > 0);
    choose(found.length ? 0 : -1);
    status.textContent = words.length === 0 ? ""
      : found.length > MOST ? `The first ${MOST} of ${found.length}` : `${found.length || "Nothing"} found`;
  }

  function open(is) {
    list.hidden = !is;
    status.textContent = "";
    input.setAttribute("aria-expanded", is);
  }

  function choose(i) {
    list.children[chosen]?.removeAttribute("aria-selected");
    chosen = i;
    const option = list.children[i];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
  }

  function follow(option) {
    if (!option) return;
    open(false);
    location.assign(new URL(option.dataset.address, base));
  }

  async function search() {
    try {
      await ask();
    } catch {
      status.textContent = "The search cannot be loaded; “Names” has all names on one page.";
      return;
    }
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    show(words.length ? find(words) : [], words);
  }

  input.addEventListener("input", search);
  input.addEventListener("focus", () => ask().catch(() => {}));
  input.addEventListener("blur", () => open(false));
  input.addEventListener("keydown", event => {
    const many = list.children.length;
    if (event.key === "Escape") {
      if (list.hidden) input.blur();
      open(false);
    } else if (event.key === "Enter" && !list.hidden) {
      follow(list.children[chosen]);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && many) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      list.hidden ? open(true) : choose((chosen + step + many) % many);
    } else {
      return;
    }
    event.preventDefault();
  });
  // The field keeps the focus while the list is pressed.
  list.addEventListener("mousedown", event => event.preventDefault());
  list.addEventListener("click", event => follow(event.target.closest("[role=option]")));
  document.addEventListener("keydown", event => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
})();
