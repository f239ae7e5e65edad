// The dialog that lists the keys of a page and switches single keys off and on.

import { keysAreOn, switchKeys } from "./switch.js"

export function showKeys(keys) {
  const dialog = element("dialog", "th-dialog th-keys")
  const title = element("h2", "th-confirm__title", "Keys of this page")
  title.id = "th-keys-title"
  dialog.setAttribute("aria-labelledby", title.id)
  const body = element("div", "th-confirm")
  body.append(title, table(keys), choice(), actions(dialog))
  dialog.append(body)
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close())
  dialog.addEventListener("close", () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}

function table(keys) {
  const rows = element("dl", "th-keys__list")
  for (const { keys: names, words } of keys) {
    const name = element("dt")
    name.append(...names.split(" ").map((each) => element("kbd", "th-key", each)))
    const row = element("div")
    row.append(name, element("dd", "", words))
    rows.append(row)
  }
  return rows
}

function choice() {
  const label = element("label", "th-check")
  const box = element("input")
  box.type = "checkbox"
  box.checked = keysAreOn()
  box.addEventListener("change", () => switchKeys(box.checked))
  label.append(box, " Single keys work, in this browser")
  return label
}

function actions(dialog) {
  const close = element("button", "th-button", "Close")
  close.type = "button"
  close.autofocus = true
  close.addEventListener("click", () => dialog.close())
  const frame = element("div", "th-confirm__actions")
  frame.append(close)
  return frame
}

function element(name, look = "", words = "") {
  const made = document.createElement(name)
  if (look) made.className = look
  if (words) made.textContent = words
  return made
}
