// <th-key-values><textarea>: a JSON object as rows of names and values, with the JSON as a second tab.
//
// The text area is the truth and is what the form sends. In a row, numbers, true, false, null, lists and
// objects are read as JSON and all else as text; with data-texts each value is a text.

import { literal, parse, shown } from "./json_values.js"

const SECRET = /pass|secret|token|key|credential/i

class KeyValues extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("textarea")
    if (!this.field || this.rows) return
    this.allTexts = this.hasAttribute("data-texts")
    this.label = this.dataset.label ?? "Values"
    this.build()
    this.field.addEventListener("input", () => (this.stale = true))
    if (this.read()) this.choose("rows")
    else this.choose("json")
  }

  build() {
    this.rows = document.createElement("div")
    this.rows.className = "th-key-values"
    this.rows.setAttribute("role", "group")
    this.rows.setAttribute("aria-label", `${this.label} as rows`)
    this.list = document.createElement("div")
    this.list.className = "th-key-values__list"
    this.told = document.createElement("p")
    this.told.className = "th-field__error"
    this.told.setAttribute("role", "status")
    this.rows.append(this.list, this.button("Add a row", () => this.add("", "").querySelector("input").focus()))
    this.tabs = document.createElement("div")
    this.tabs.className = "th-tabs"
    for (const [name, words] of [["rows", "Rows"], ["json", "JSON"]]) {
      const tab = this.button(words, () => this.turn(name))
      tab.className = "th-tab"
      tab.dataset.tab = name
      this.tabs.append(tab)
    }
    this.field.before(this.tabs, this.rows)
    this.field.after(this.told)
  }

  button(words, act) {
    const made = document.createElement("button")
    made.type = "button"
    made.className = "th-button th-button--small"
    made.textContent = words
    made.addEventListener("click", act)
    return made
  }

  turn(name) {
    if (name === "rows" && !this.read()) {
      this.told.textContent = "Not yet a JSON object, so it cannot be shown as rows."
      return
    }
    this.told.textContent = ""
    this.choose(name)
    if (name === "json") this.field.focus()
  }

  choose(name) {
    this.rows.hidden = name !== "rows"
    this.field.hidden = name !== "json"
    for (const tab of this.tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name))
  }

  // Rows from the text; false if it is no JSON object.
  read() {
    let found = {}
    try {
      if (this.field.value.trim()) found = parse(this.field.value)
    } catch {
      return false
    }
    if (found === null || typeof found !== "object" || Array.isArray(found)) return false
    const pairs = Object.entries(found)
    this.list.replaceChildren()
    pairs.forEach(([name, value]) => this.add(name, this.allTexts && typeof value === "string" ? value : shown(value)))
    if (!pairs.length) this.add("", "")
    return true
  }

  add(name, value) {
    const row = document.createElement("div")
    row.className = "th-key-values__row"
    const input = (look, label, text) => {
      const made = document.createElement("input")
      made.className = `th-input ${look}`
      made.setAttribute("aria-label", `${this.label}: ${label.toLowerCase()}`)
      made.placeholder = label
      made.autocomplete = "off"
      made.spellcheck = false
      made.value = text
      made.addEventListener("input", () => this.write())
      return made
    }
    const remove = this.button("×", () => {
      const next = row.nextElementSibling ?? row.previousElementSibling
      row.remove()
      this.write()
      ;(next?.querySelector("input") ?? this.rows.querySelector(":scope > button")).focus()
    })
    remove.classList.add("th-button--icon")
    remove.setAttribute("aria-label", "Remove this row")
    row.append(input("th-key-values__name", "Key", name), input("th-key-values__value", "Value", value), remove)
    this.list.append(row)
    this.mask(row)
    return row
  }

  mask(row) {
    const [name, value] = row.querySelectorAll("input")
    value.classList.toggle("th-masked", SECRET.test(name.value))
  }

  write() {
    const seen = new Set()
    const pairs = []
    let doubled = ""
    for (const row of this.list.children) {
      const [name, value] = row.querySelectorAll("input")
      this.mask(row)
      const twice = name.value !== "" && seen.has(name.value)
      name.setAttribute("aria-invalid", String(twice))
      if (twice) doubled = name.value
      if (name.value === "" && value.value === "") continue
      seen.add(name.value)
      pairs.push(`${JSON.stringify(name.value)}: ${this.allTexts ? JSON.stringify(value.value) : literal(value.value)}`)
    }
    // A name given twice stays in the text twice, and so is refused, not lost.
    this.told.textContent = doubled ? `“${doubled}” is there twice.` : ""
    this.field.value = pairs.length ? `{\n  ${pairs.join(",\n  ")}\n}` : ""
  }
}

customElements.define("th-key-values", KeyValues)
