// <log-view>: its lines can be wrapped; a page that shows the end of an output begins there.

class LogView extends HTMLElement {
  connectedCallback() {
    const log = this.querySelector(".th-log")
    const wrap = this.querySelector("input[name=wrap]")
    if (!log) return
    if (wrap) {
      wrap.closest("label").hidden = false
      wrap.addEventListener("change", () => log.classList.toggle("th-log--wrap", wrap.checked))
    }
    if (this.dataset.at === "end" && !location.hash) log.scrollTop = log.scrollHeight
  }
}

customElements.define("log-view", LogView)
