// The queue of photos: decided by keyboard. Everything in it works without this file.
//
// The next photo is here before it is asked for, so it is shown with the key that decides; the decisions follow, one after the
// other. One that is refused or lost is said with the name, and its photo waits on.
if (document.querySelector("[data-queue]")) {
  decideByKeys();
}

function decideByKeys() {
  const main = document.querySelector("main");
  const stored = "doorward-keys";
  const troubles = document.createElement("div");
  troubles.className = "troubles";
  troubles.setAttribute("role", "alert");
  let on = true;
  let sending = Promise.resolve();
  let unsent = 0;
  let next = null;
  let busy = false;
  try {
    on = localStorage.getItem(stored) !== "off";
  } catch {
    // A browser that keeps nothing asks each time.
  }

  const queue = () => main.querySelector("[data-queue]");

  // A page of the queue; its photo begins to load once it belongs to this document.
  async function load(address) {
    const answer = await fetch(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const content = answer.ok && page.querySelector("main");
    if (!content) {
      return null;
    }
    return { address, title: page.title, content: document.adoptNode(content) };
  }

  // What comes next is asked for once all decisions before it have arrived.
  function prepare() {
    const address = queue() && queue().dataset.next;
    next = address ? sending.then(() => load(address)).catch(() => null) : null;
  }

  function show(page, decided) {
    const last = main.querySelector(".good[role=status]");
    main.replaceChildren(troubles, ...page.content.childNodes);
    if (decided && last) {
      last.remove();
    }
    document.title = page.title;
    history.replaceState(null, "", page.address);
    const place = queue();
    const count = main.querySelector("#waiting");
    if (place && decided && count) {
      // That page was made while this decision was on its way.
      place.dataset.waiting = String(Number(place.dataset.waiting) - 1);
      count.textContent = count.dataset.words.replace("{count}", place.dataset.waiting);
    }
    begin();
  }

  // On to the next, or to whatever the authority shows once nothing is on its way.
  async function advance(decided) {
    busy = true;
    try {
      const whose = queue().dataset.page;
      const page = next && (await next);
      const place = page && page.content.querySelector("[data-queue]");
      if (place && place.dataset.page !== whose) {
        show(page, decided);
        return;
      }
      await sending;
      const rest = await load("/photos").catch(() => null);
      if (rest) {
        show(rest, false);
      } else {
        location.assign("/photos");
      }
    } finally {
      busy = false;
    }
  }

  function trouble(place, text) {
    const item = document.createElement("p");
    const link = document.createElement("a");
    item.className = "bad";
    link.href = place.page;
    link.textContent = place.whose;
    item.append(link, ` ${place.refused} `, text);
    troubles.append(item);
  }

  async function send(form, fields, place) {
    try {
      const answer = await fetch(form, { method: "POST", body: fields, redirect: "manual" });
      if (answer.type !== "opaqueredirect") {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const why = page.querySelector("[role=alert], .sentence");
        trouble(place, why ? why.textContent : String(answer.status));
      }
    } catch {
      trouble(place, place.lost);
    }
    unsent -= 1;
  }

  main.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.done || !queue()) {
      return;
    }
    event.preventDefault();
    if (busy) {
      return;
    }
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    const place = { ...queue().dataset };
    unsent += 1;
    sending = sending.then(() => send(form.action, fields, place));
    advance(true);
  });

  main.addEventListener("click", (event) => {
    const skip = event.target.closest("[data-skip]");
    if (skip && !busy && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      advance(false);
    }
    if (event.target.closest("[data-keys-switch]")) {
      on = !on;
      try {
        localStorage.setItem(stored, on ? "on" : "off");
      } catch {
        // It holds for this page, then.
      }
      mark();
    }
  });

  // Single keys, where nobody types and no other key is held (WCAG 2.1.4: and a switch turns them off).
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    const held = event.ctrlKey || event.altKey || event.metaKey || event.repeat;
    const reject = main.querySelector("details.reject");
    if (!queue() || held) {
      return;
    }
    if (event.key === "Escape" && reject.open) {
      reject.open = false;
      queue().focus();
      return;
    }
    if (!on || typing || busy) {
      return;
    }
    const key = event.key === "ArrowRight" ? "s" : event.key.toLowerCase();
    const image = main.querySelector("img.portrait");
    if (key === "?") {
      const help = document.getElementById("keys");
      help.open = !help.open;
    } else if (key === "r") {
      // Once for the usual reasons, once more to type another.
      const place = reject.open ? "#reason" : "button";
      reject.open = true;
      reject.querySelector(place).focus();
    } else if (/^[1-9]$/.test(key) !== reject.open) {
      // Digits choose a reason once these are open, and nothing else is decided then.
      return;
    } else if (key === "a" && !(image.complete && image.naturalWidth)) {
      // Nobody approves what is not to be seen yet.
      return;
    } else {
      const control = main.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (!control) {
        return;
      }
      control.click();
    }
    event.preventDefault();
  });

  window.addEventListener("beforeunload", (event) => {
    if (unsent > 0) {
      event.preventDefault();
    }
  });

  function mark() {
    const keys = main.querySelector("[data-keys]");
    if (keys) {
      const button = keys.querySelector("[data-keys-switch]");
      keys.hidden = false;
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? button.dataset.on : button.dataset.off;
    }
    main.classList.toggle("by-keys", on && Boolean(keys));
  }

  function begin() {
    mark();
    if (queue()) {
      queue().focus({ preventScroll: true });
    }
    prepare();
  }

  main.prepend(troubles);
  begin();
}
