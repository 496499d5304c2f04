// The graph of claims: moved by dragging or arrows, made larger and smaller by Ctrl and the wheel, two fingers, + and -.
// Without this script it is a picture that scrolls.
(() => {
  const LEAST = 0.57, MOST = 3, STEP = 1.25, ARROW = 80, STILL = 4, HIGH = 0.8;

  for (const box of document.querySelectorAll("[data-zoom]")) zoomable(box);

  function zoomable(box) {
    const region = box.querySelector(".scroll");
    const svg = box.querySelector("svg");
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const pointers = new Map();
    let scale = 1, x = 0, y = 0, moved = false, start = 1;

    const within = (at, seen, size) => (seen >= size ? 0 : Math.min(Math.max(at, 0), size - seen));

    function draw() {
      const wide = region.clientWidth / scale, high = region.clientHeight / scale;
      [x, y] = [within(x, wide, width), within(y, high, height)];
      svg.setAttribute("viewBox", `${x} ${y} ${wide} ${high}`);
    }

    function reset() {
      start = Math.min(Math.max(region.clientWidth / width, LEAST), 1);
      const high = Math.min(height * start, innerHeight * HIGH);
      region.style.height = `${high}px`;
      svg.style.height = `${high}px`;
      [scale, x, y] = [start, 0, 0];
      draw();
    }

    // `left` and `top`: the point that stays where it is, in pixels from the region's corner.
    function zoom(by, left = region.clientWidth / 2, top = region.clientHeight / 2) {
      const least = Math.min(start, region.clientWidth / width, region.clientHeight / height);
      const after = Math.min(Math.max(scale * by, least), MOST);
      x += left / scale - left / after;
      y += top / scale - top / after;
      scale = after;
      draw();
    }

    function move(right, down) {
      x += right / scale;
      y += down / scale;
      draw();
    }

    const acts = {
      "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": reset,
      ArrowLeft: () => move(-ARROW, 0), ArrowRight: () => move(ARROW, 0),
      ArrowUp: () => move(0, -ARROW), ArrowDown: () => move(0, ARROW),
    };

    box.classList.add("zoomed");
    for (const button of box.querySelectorAll("button[data-key]")) {
      button.addEventListener("click", acts[button.dataset.key]);
    }
    box.querySelector(".tools").hidden = false;
    region.addEventListener("keydown", event => {
      if (!(event.key in acts) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      acts[event.key]();
    });
    // The wheel alone scrolls the page, but where the picture has the focus.
    region.addEventListener("wheel", event => {
      if (!event.ctrlKey && !event.metaKey && !region.contains(document.activeElement)) return;
      event.preventDefault();
      const at = region.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 300), event.clientX - at.left, event.clientY - at.top);
    }, { passive: false });

    const middle = () => {
      const all = [...pointers.values()];
      const [a, b] = [all[0], all.at(-1)];
      return { left: (a.x + b.x) / 2, top: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
    };
    region.addEventListener("pointerdown", event => {
      if (event.button) return;
      if (!pointers.size) moved = false;
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    region.addEventListener("pointermove", event => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      // A link is followed by a press that does not move.
      if (!moved && Math.hypot(event.clientX - before.x, event.clientY - before.y) < STILL) return;
      moved = true;
      region.setPointerCapture(event.pointerId);
      const from = middle();
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const to = middle(), at = region.getBoundingClientRect();
      if (from.apart && to.apart) zoom(to.apart / from.apart, to.left - at.left, to.top - at.top);
      move(from.left - to.left, from.top - to.top);
    });
    for (const ends of ["pointerup", "pointercancel"]) {
      region.addEventListener(ends, event => pointers.delete(event.pointerId));
    }
    region.addEventListener("click", event => {
      if (moved) event.preventDefault();
      moved = false;
    }, true);
    region.addEventListener("dragstart", event => event.preventDefault());
    // What Tab comes to is brought into sight.
    region.addEventListener("focusin", event => {
      const inner = event.target.querySelector?.(".box");
      if (!inner) return;
      const [left, top, wide, high] = ["x", "y", "width", "height"].map(side => inner[side].baseVal.value);
      const seen = [region.clientWidth / scale, region.clientHeight / scale];
      if (left < x || left + wide > x + seen[0]) x = left + wide / 2 - seen[0] / 2;
      if (top < y || top + high > y + seen[1]) y = top + high / 2 - seen[1] / 2;
      region.scrollTo(0, 0);
      draw();
    });
    reset();
    let known = region.clientWidth;
    new ResizeObserver(() => {
      if (region.clientWidth === known) return;
      known = region.clientWidth;
      reset();
    }).observe(region);
  }
})();
