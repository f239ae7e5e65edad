// <th-job-form>: around the form of a new job. The editor follows the language, and *Check* asks the
// server whether the code compiles before anything is created.
import { check } from "./code_check.js"

class JobForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form")
    this.language = this.form.elements.language
    this.editor = this.querySelector("th-code-editor")
    this.button = this.querySelector("[data-check]")
    this.told = this.querySelector("[data-told]")
    this.button.hidden = false
    this.button.addEventListener("click", () => this.check())
    this.language.addEventListener("change", () => this.follow())
    this.form.elements.code.addEventListener("input", () => this.tell("", ""))
    this.form.addEventListener("submit", () => setTimeout(() => this.lock(true)))
    // A page that comes back from the browser's memory shall not stay locked.
    window.addEventListener("pageshow", () => this.lock(false))
    this.editor.dataset.language = this.language.value
  }

  lock(on) {
    this.form.querySelectorAll("button[name]").forEach((button) => (button.disabled = on))
  }

  follow() {
    this.editor.dataset.language = this.language.value
    this.tell("", "")
  }

  async check() {
    const code = this.form.elements.code.value
    this.tell("", "Checking…")
    this.button.disabled = true
    const { tone, words, line } = await check(this.language.value, code)
    this.button.disabled = false
    // What was typed meanwhile is not what was checked.
    if (this.form.elements.code.value !== code) return this.tell("", "")
    this.tell(tone, words)
    if (!line) return
    this.editor.markLine(line)
    this.editor.goTo(line)
  }

  tell(tone, words) {
    this.told.dataset.tone = tone
    this.told.textContent = words
    this.editor.markLine(null)
  }
}

customElements.define("th-job-form", JobForm)
