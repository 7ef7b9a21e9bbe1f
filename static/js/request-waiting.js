// Enhancement only: without it the page has a button, and refreshes itself. Looks whether the request was answered.
const waiting = document.getElementById("request-waiting");
const giveUp = Date.now() + 15 * 60 * 1000;
let pause = 5000;

async function look() {
  if (Date.now() > giveUp) return;
  try {
    const page = await fetch(window.location.href, { redirect: "manual", cache: "no-store" });
    if (page.type === "opaqueredirect") return window.location.replace(waiting.dataset.onward);
    if (!(await page.text()).includes('id="request-waiting"')) return window.location.reload();
  } catch { /* the network is away: look again later */ }
  pause = Math.min(pause * 1.2, 30000);
  window.setTimeout(look, pause);
}

if (waiting) window.setTimeout(look, pause);
