// <th-task-form>: around the form of a task. Warns before typed text is lost, lets the editor follow the
// language, checks code before it is saved, and offers the scripts of the app that is chosen.
import { check } from "./code_check.js"

class TaskForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form")
    this.unsaved = this.querySelector("[data-unsaved]")
    this.editor = this.querySelector("th-code-editor")
    this.form.addEventListener("input", () => this.changed(true))
    this.form.addEventListener("change", (event) => this.chose(event.target))
    this.form.addEventListener("submit", () => this.changed(false))
    this.leave = (event) => {
      if (this.isChanged) event.preventDefault()
    }
    window.addEventListener("beforeunload", this.leave)
    this.button = this.querySelector("[data-check]")
    if (this.button) {
      this.button.hidden = false
      this.button.addEventListener("click", () => this.check())
      this.form.elements.code.addEventListener("input", () => this.tell("", ""))
    }
    // The first field that was refused is where the eye should go.
    this.querySelector("[aria-invalid=true]")?.focus()
  }

  disconnectedCallback() {
    window.removeEventListener("beforeunload", this.leave)
  }

  changed(on) {
    this.isChanged = on
    this.unsaved.hidden = !on
  }

  chose(field) {
    if (field.type !== "submit") this.changed(true)
    if (field.name === "language" && this.editor) {
      this.editor.dataset.language = this.language
      this.tell("", "")
    }
    if (field.name === "app") this.offerScripts(field.value)
  }

  get language() {
    return this.form.elements.language.value || "python"
  }

  async offerScripts(app) {
    const list = this.querySelector("#th-scripts")
    if (!list) return
    try {
      const answer = await fetch(`${this.dataset.scripts}?${new URLSearchParams({ app })}`)
      const { scripts } = await answer.json()
      list.replaceChildren(...scripts.map((path) => new Option("", path)))
    } catch {
      list.replaceChildren()
    }
  }

  async check() {
    const code = this.form.elements.code.value
    this.tell("", "Checking…")
    this.button.disabled = true
    const { tone, words, line } = await check(this.language, code)
    this.button.disabled = false
    // What was typed meanwhile is not what was checked.
    if (this.form.elements.code.value !== code) return this.tell("", "")
    this.tell(tone, words)
    if (!line) return
    this.editor.markLine?.(line)
    this.editor.goTo?.(line)
  }

  tell(tone, words) {
    const told = this.querySelector("[data-told]")
    if (!told) return
    told.dataset.tone = tone
    told.textContent = words
    this.editor.markLine?.(null)
  }
}

customElements.define("th-task-form", TaskForm)
