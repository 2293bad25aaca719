// What the reader has chosen, and what is to be drawn again when that changes.

const STORED = "cnnviz-theme";

export const chosen = { map: "viridis", scale: "channel", opacity: 0.6, overlay: false };
const painters = new Map();
const drawing = new Set();

/** Draw into a canvas now, and again whenever colours or scale change. */
export function keepDrawn(canvas, draw) {
  painters.set(canvas, draw);
  const done = Promise.resolve(draw()).finally(() => drawing.delete(done));
  drawing.add(done);
}

/** When all that was to be drawn is drawn. */
export function allDrawn() {
  return Promise.all(drawing);
}

/** Change what was chosen, and draw what is on the page again. */
export function choose(changes) {
  Object.assign(chosen, changes);
  forgetOld();
  for (const draw of painters.values()) draw();
}

/** Let go of what is no longer on the page. */
export function forgetOld() {
  for (const canvas of painters.keys()) {
    if (!canvas.isConnected) painters.delete(canvas);
  }
}

/** "light", "dark", or "auto": as the system is. */
export function theme() {
  return document.documentElement.dataset.theme ?? "auto";
}

/** Light to dark and back, and remembered where the browser allows it. */
export function setTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // A sandboxed frame has nothing to remember with.
  }
}

/** The theme that was chosen the last time. */
export function restoreTheme() {
  try {
    setTheme(localStorage.getItem(STORED) ?? "auto");
  } catch {
    setTheme("auto");
  }
}
