// All that matters works without this file: it chooses whole pages of a list, keeps a page that
// moves up to date, and asks nothing of any other place.
"use strict";

document.addEventListener("change", (event) => {
  const all = event.target.dataset?.all;
  if (!all) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][name="${all}"]`)) {
    box.checked = event.target.checked;
  }
});

const busy = (main) =>
  main.contains(document.activeElement) && document.activeElement.matches("input, select, textarea") ||
  [...main.querySelectorAll("input:not([type=hidden])")].some((input) => input.value !== input.defaultValue) ||
  main.querySelector("details[open]");

// Whoever goes by the keyboard stays where they are.
function replace(main, fresh) {
  const stops = "a, button, input, select, summary, [tabindex]";
  const place = [...main.querySelectorAll(stops)].indexOf(document.activeElement);
  main.replaceWith(fresh);
  if (place >= 0) fresh.querySelectorAll(stops)[place]?.focus({ preventScroll: true });
}

async function refresh() {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  try {
    if (!document.hidden && !busy(main)) {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) return location.assign(answer.url);
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("main");
        if (fresh.innerHTML !== main.innerHTML && !busy(main)) {
          replace(main, fresh);
          document.title = page.title;
        }
      }
    }
  } catch {
    // The console is not there now; the next look may find it.
  }
  wait();
}

function wait() {
  const main = document.querySelector("main[data-live]");
  if (main) setTimeout(refresh, Number(main.dataset.live) * 1000);
}

wait();
