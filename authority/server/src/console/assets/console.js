// The live parts of a page. Everything else works without this file.
//
// A region with data-live is followed: each event brings a piece of the page, which takes the place of the one with its id
// or joins the list. The server makes the pieces; here they are only put where they belong.
"use strict";

for (const region of document.querySelectorAll("[data-live]")) {
  follow(region);
}

function follow(region) {
  const said = document.querySelector(`[data-state-of="${region.id}"]`);
  const button = document.querySelector(`[data-pause="${region.id}"]`);
  let source = null;
  let paused = false;
  let over = false;

  const say = (text, on) => {
    if (said) {
      said.textContent = text || "";
      said.classList.toggle("on", Boolean(on));
    }
  };
  const close = () => {
    if (source) {
      source.close();
      source = null;
    }
  };
  const open = () => {
    // A page that nobody sees follows nothing: it would keep a session from ending.
    if (source || paused || over || document.hidden) {
      return;
    }
    source = new EventSource(region.dataset.live);
    source.onopen = () => say(region.dataset.on, true);
    source.onerror = () => {
      // A stream that ended is asked for again by the browser itself; one that was refused is not.
      if (source && source.readyState === EventSource.CLOSED) {
        say(region.dataset.lost, false);
        close();
      } else if (!navigator.onLine) {
        say(region.dataset.lost, false);
      }
    };
    source.addEventListener("put", (event) => put(region, event.data));
    source.addEventListener("over", () => {
      over = true;
      close();
      say("", false);
    });
  };

  if (button) {
    const pause = button.textContent;
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.textContent = paused ? button.dataset.goOn : pause;
      if (paused) {
        close();
        say(region.dataset.paused, false);
      } else {
        open();
      }
    });
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
}

function put(region, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const list = region.hasAttribute("data-into") ? region : region.querySelector("[data-into]");
  for (const piece of [...template.content.children]) {
    const known = document.getElementById(piece.id);
    if (known) {
      // Whoever is in the middle of it keeps the place.
      if (!known.contains(document.activeElement)) {
        known.replaceWith(piece);
      }
    } else if (list && list.hasAttribute("data-newest-first")) {
      list.prepend(piece);
    } else if (list) {
      list.append(piece);
    }
  }
  const most = Number(list && list.dataset.most) || Infinity;
  while (list && list.children.length > most) {
    list.lastElementChild.remove();
  }
  run();
}

// A clock that runs on from what the server said, until the server says how long it took.
let running = null;
function run() {
  const clock = document.querySelector("[data-runs-ms]");
  if (clock === running || !clock) {
    running = clock;
    return;
  }
  running = clock;
  const began = performance.now() - Number(clock.dataset.runsMs);
  const tick = () => {
    if (running === clock && clock.isConnected) {
      clock.textContent = `${Math.round(performance.now() - began)} ms`;
      setTimeout(tick, 50);
    }
  };
  tick();
}
run();
