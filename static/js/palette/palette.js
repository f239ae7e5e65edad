// <th-palette> in a <dialog>: Ctrl+K finds pages, tasks, jobs and runspaces, and runs a task. The field keeps
// the focus; the arrows move through what is found.

import { post } from "../elements/api_post.js"
import { SOURCES, places } from "./found.js"

const PAUSE_MS = 150

class Palette extends HTMLElement {
  connectedCallback() {
    this.dialog = this.closest("dialog")
    this.field = this.querySelector("input")
    this.list = this.querySelector("[role=listbox]")
    this.note = this.querySelector("[role=status]")
    this.sources = this.dataset.sources.split(" ")
    this.leave = new AbortController()
    const { signal } = this.leave
    document.addEventListener("keydown", (event) => this.called(event), { signal })
    document.addEventListener("click", (event) => event.target.closest("[data-palette]") && this.open(), { signal })
    this.field.addEventListener("input", () => this.typed(), { signal })
    this.field.addEventListener("keydown", (event) => this.key(event), { signal })
    this.list.addEventListener("click", (event) => this.clicked(event), { signal })
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close(), { signal })
    this.dialog.addEventListener("close", () => this.search?.abort(), { signal })
  }

  disconnectedCallback() {
    this.leave.abort()
  }

  called(event) {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
    event.preventDefault()
    if (this.dialog.open) this.dialog.close()
    else if (!document.querySelector("dialog[open]")) this.open()
  }

  open() {
    this.field.value = ""
    this.dialog.showModal()
    this.typed()
  }

  typed() {
    clearTimeout(this.timer)
    this.search?.abort()
    const text = this.field.value.trim()
    this.found = { places: places(text) }
    this.show(text ? "Looking…" : "")
    if (text) this.timer = setTimeout(() => this.look(text), PAUSE_MS)
  }

  // Each source is shown as soon as it answers; an answer to an older text is dropped.
  async look(text) {
    const search = (this.search = new AbortController())
    const failed = []
    const options = { signal: search.signal, mayRun: this.hasAttribute("data-may-run") }
    const one = async (name) => {
      try {
        this.found[name] = await SOURCES[name](text, options)
      } catch {
        failed.push(name)
      }
      if (!search.signal.aborted) this.show("Looking…")
    }
    await Promise.all(this.sources.map(one))
    if (search.signal.aborted) return
    const count = this.options.length
    const said = count ? `${count} found` : "Nothing found"
    this.show(failed.length ? `${said}; could not look among ${failed.join(" and ")}` : said)
  }

  show(words) {
    const held = this.chosen?.item
    const { places: pages, tasks = [], jobs = [], runspaces = [] } = this.found
    this.items = [...pages, ...tasks, ...jobs, ...runspaces]
    this.list.replaceChildren(...this.items.map((item, place) => option(item, place)))
    // What somebody has moved to stays chosen while more is found.
    const same = this.moved ? this.items.findIndex((item) => held && item.title === held.title && item.kind === held.kind) : -1
    this.choose(Math.max(0, same))
    this.moved &&= same >= 0
    this.list.hidden = !this.items.length
    this.field.setAttribute("aria-expanded", String(this.items.length > 0))
    this.note.textContent = words
  }

  get options() {
    return [...this.list.children]
  }

  choose(place) {
    const options = this.options
    options.forEach((each, number) => each.setAttribute("aria-selected", String(number === place)))
    const option = options[place]
    this.chosen = option ? { place, item: this.items[place] } : null
    if (!option) return this.field.removeAttribute("aria-activedescendant")
    this.field.setAttribute("aria-activedescendant", option.id)
    option.scrollIntoView({ block: "nearest" })
  }

  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by && this.items.length) {
      event.preventDefault()
      this.moved = true
      this.choose((this.chosen.place + by + this.items.length) % this.items.length)
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault()
      if (this.chosen) this.go(this.chosen.item)
    }
  }

  clicked(event) {
    const option = event.target.closest("[role=option]")
    if (option) this.go(this.items[this.options.indexOf(option)])
  }

  async go(item) {
    if (item.address) return location.assign(item.address)
    if (this.busy) return
    this.busy = true
    this.note.textContent = `${item.title}…`
    try {
      const job = await post(`/api/v1/tasks/${item.run}/run`)
      location.assign(`/admin/jobs_app/job/${job.uuid}/change/`)
    } catch (error) {
      this.note.textContent = error.message
    } finally {
      this.busy = false
    }
  }
}

function option(item, place) {
  const made = document.createElement("li")
  made.id = `th-found-${place}`
  made.setAttribute("role", "option")
  const kind = part("th-palette__kind", item.kind)
  made.append(kind, part("th-palette__title", item.title), part("th-palette__sub", item.sub ?? ""))
  return made
}

function part(look, words) {
  const made = document.createElement("span")
  made.className = look
  made.textContent = words
  return made
}

customElements.define("th-palette", Palette)
