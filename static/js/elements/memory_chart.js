// <th-memory-chart>: draws the points that stand in its [data-part], and again when the part has been
// replaced by a newer one. The same points stand in a table below.

const HOUR = 3_600_000
const STEPS = [
  [HOUR, HOUR / 6],
  [6 * HOUR, HOUR],
  [24 * HOUR, 4 * HOUR],
]

class MemoryChart extends HTMLElement {
  connectedCallback() {
    this.frame = this.querySelector(".th-memory-chart")
    this.canvas = this.querySelector("canvas")
    this.source = this.querySelector("[data-part]")
    this.newer = new MutationObserver(() => this.draw())
    this.newer.observe(this.source, { childList: true })
    this.theme = new MutationObserver(() => this.draw(true))
    this.theme.observe(document.documentElement, { attributeFilter: ["class"] })
    this.draw()
  }

  disconnectedCallback() {
    this.newer.disconnect()
    this.theme.disconnect()
    this.chart?.destroy()
    this.chart = null
  }

  draw(anew = false) {
    const told = this.source.querySelector("[data-points]")
    this.frame.hidden = !told
    if (!told) return
    this.canvas.setAttribute("aria-label", this.source.querySelector("[data-words]")?.textContent ?? "")
    const shown = JSON.parse(told.dataset.points)
    if (anew) {
      this.chart?.destroy()
      this.chart = null
    }
    if (this.chart) {
      const fresh = settings(this, shown)
      this.chart.data.datasets.forEach((set, place) => (set.data = fresh.data.datasets[place].data))
      this.chart.options.scales = fresh.options.scales
      this.chart.update("none")
    } else this.chart = new window.Chart(this.canvas, settings(this, shown))
  }
}

function settings(place, { from, to, limit, values }) {
  const look = getComputedStyle(place)
  const colour = (name) => look.getPropertyValue(`--th-${name}`).trim()
  const most = Math.max(...values.map(([, value]) => value ?? 0))
  const font = { family: look.fontFamily, size: 11 }
  return {
    type: "line",
    data: {
      datasets: [
        {
          label: "Memory",
          data: values.map(([x, y]) => ({ x, y })),
          borderColor: colour("blue"),
          backgroundColor: `color-mix(in srgb, ${colour("blue")} 16%, transparent)`,
          borderWidth: 2,
          pointBackgroundColor: colour("blue"),
          fill: "origin",
          // Alone between two gaps, a point has no line to stand for it.
          pointRadius: ({ dataIndex: place }) => (alone(values, place) ? 2 : 0),
          pointHitRadius: 8,
          pointHoverRadius: 4,
        },
        {
          label: "Warning",
          data: limit === null ? [] : [{ x: from, y: limit }, { x: to, y: limit }],
          borderColor: colour("orange"),
          borderDash: [5, 4],
          order: -1,
          borderWidth: 1.5,
          pointRadius: 0,
          pointHitRadius: 0,
        },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: {
          type: "linear",
          min: from,
          max: to,
          afterBuildTicks: (axis) => (axis.ticks = moments(from, to)),
          ticks: { callback: (moment) => time(moment, to - from), color: colour("muted"), font, maxRotation: 0 },
          grid: { display: false },
          border: { color: colour("line-strong") },
        },
        y: {
          beginAtZero: true,
          suggestedMax: Math.max(limit ?? 0, most) * 1.08,
          ticks: { callback: (value) => `${value.toLocaleString("en")} MB`, color: colour("muted"), font, maxTicksLimit: 6 },
          grid: { color: colour("line") },
          border: { display: false },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          displayColors: false,
          filter: (item) => item.datasetIndex === 0,
          callbacks: {
            title: ([item]) => (item ? `${new Date(item.parsed.x).toISOString().slice(0, 19).replace("T", " ")} UTC` : ""),
            label: (item) => `${item.parsed.y.toLocaleString("en", { maximumFractionDigits: 1 })} MB`,
          },
        },
      },
    },
  }
}

function alone(values, place) {
  const empty = (index) => (values[index]?.[1] ?? null) === null
  return !empty(place) && empty(place - 1) && empty(place + 1)
}

// Round times of UTC within the period.
function moments(from, to) {
  const [, step] = STEPS.find(([length]) => to - from <= length) ?? STEPS.at(-1)
  const found = []
  for (let moment = Math.ceil(from / step) * step; moment <= to; moment += step) found.push({ value: moment })
  return found
}

function time(moment, length) {
  const at = new Date(moment)
  const text = at.toISOString().slice(11, 16)
  const midnight = length > 6 * HOUR && text === "00:00"
  return midnight ? at.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }) : text
}

customElements.define("th-memory-chart", MemoryChart)
