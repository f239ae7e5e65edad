// <th-job-form>: around the form of a new job. The editor follows the language, and *Check* asks the
// server whether the code compiles before anything is created.
import { token } from "../csrf.js"

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
    if (!code.trim()) return this.tell("bad", "There is no code to check.")
    this.tell("", "Checking…")
    this.button.disabled = true
    try {
      const answer = await fetch(`/api/v1/languages/${encodeURIComponent(this.language.value)}/check`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-CSRFToken": token(),
        },
        body: JSON.stringify({ code }),
      })
      const found = await answer.json()
      if (this.form.elements.code.value !== code) return this.tell("", "")
      if (!answer.ok) this.tell("bad", found.error ?? "It could not be checked.")
      else if (found.ok) this.tell("good", "It compiles. Nothing was run.")
      else this.wrong(found)
    } catch {
      this.tell("bad", "It could not be checked: no answer from the server.")
    } finally {
      this.button.disabled = false
    }
  }

  wrong({ message, line }) {
    this.tell("bad", line ? `Line ${line}: ${message}` : message)
    this.editor.markLine(line)
    if (!line) return
    this.editor.goTo(line)
  }

  tell(tone, words) {
    this.told.dataset.tone = tone
    this.told.textContent = words
    this.editor.markLine(null)
  }
}

customElements.define("th-job-form", JobForm)
