// <th-code-editor data-language="python"><textarea>: colours, line numbers and indenting keys for code.
//
// The text area is and stays the truth: its own text is transparent, and behind it the same text is
// painted with colours. Esc lets the next Tab leave the field.

import { indent, newLine, outdent } from "./code_keys.js"
import { language, tokens } from "./code_tokens.js"

// Longer text is shown without colours: it would make typing slow.
const MOST_COLOURED = 150_000

class CodeEditor extends HTMLElement {
  static observedAttributes = ["data-language"]

  connectedCallback() {
    this.field = this.querySelector("textarea")
    if (!this.field || this.paint) return
    this.build()
    this.field.addEventListener("input", () => {
      this.markLine(null)
      this.show()
    })
    this.field.addEventListener("keydown", (event) => this.key(event))
    this.field.addEventListener("blur", () => (this.leaving = false))
    this.field.form?.addEventListener("reset", () => setTimeout(() => this.show()))
    this.show()
    if (this.dataset.line) this.markLine(Number(this.dataset.line))
  }

  attributeChangedCallback() {
    if (this.paint) this.show()
  }

  build() {
    const element = (name, look, inside = []) => {
      const made = document.createElement(name)
      made.className = look
      made.append(...inside)
      return made
    }
    this.numbers = element("pre", "th-editor__numbers")
    this.numbers.ariaHidden = "true"
    this.paint = element("pre", "th-editor__paint")
    this.paint.ariaHidden = "true"
    this.bad = element("div", "th-editor__bad")
    this.bad.hidden = true
    const text = element("div", "th-editor__text", [this.bad, this.paint])
    const frame = element("div", "th-editor", [this.numbers, text])
    this.field.replaceWith(frame)
    this.field.classList.add("th-editor__field")
    text.append(this.field)
    frame.addEventListener("mousedown", (event) => {
      if (event.target === this.field) return
      event.preventDefault()
      this.field.focus()
    })
    this.frame = frame
  }

  get rules() {
    return language(this.dataset.language)
  }

  show() {
    const text = this.field.value
    if (text === this.shownText && this.dataset.language === this.shownLanguage) return
    this.shownText = text
    this.shownLanguage = this.dataset.language
    const count = text.split("\n").length
    if (count !== this.count) {
      this.count = count
      this.numbers.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n")
    }
    const parts = text.length > MOST_COLOURED ? [["", text]] : tokens(text, this.rules)
    this.paint.replaceChildren(...parts.map(([kind, part]) => this.token(kind, part)), "\n")
  }

  token(kind, text) {
    if (!kind) return text
    const span = document.createElement("span")
    span.className = `th-token-${kind}`
    span.textContent = text
    return span
  }

  // Show which line is wrong (counted from 1); null for none.
  markLine(number) {
    this.bad.hidden = !number
    if (!number) return
    this.bad.style.setProperty("--line", Math.min(number, this.count) - 1)
  }

  goTo(number) {
    const lines = this.field.value.split("\n")
    const place = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0)
    this.field.focus()
    this.field.setSelectionRange(place, place)
    this.frame.scrollTop = Math.max(0, this.bad.offsetTop - this.frame.clientHeight / 2)
  }

  key(event) {
    if (event.key === "Escape") {
      this.leaving = true
      return
    }
    if (event.key === "Shift") return
    const leaving = this.leaving
    this.leaving = false
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.field.readOnly) return
    if (event.key === "Tab" && !leaving) {
      event.preventDefault()
      if (event.shiftKey) outdent(this.field)
      else indent(this.field)
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault()
      newLine(this.field, this.rules.opens)
    }
  }
}

customElements.define("th-code-editor", CodeEditor)
