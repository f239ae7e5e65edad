// <th-memory-line data-values="18.2,,19" data-limit="100">: memory as a small line, in MB, the oldest first,
// blank where nothing was measured; the dashed line is where the warning begins. Every line of a list has
// the same scale as long as it stays below that, so they can be compared.

const SVG = "http://www.w3.org/2000/svg"
const WIDTH = 120
const HEIGHT = 28
// What was measured for a moment only is still to be seen as a line.
const LEAST = 12

class MemoryLine extends HTMLElement {
  connectedCallback() {
    const limit = Number(this.dataset.limit)
    const values = this.dataset.values.split(",").map((each) => (each === "" ? null : Number(each)))
    const known = values.filter((each) => each !== null)
    if (!known.length) return
    const most = Math.max(...known)
    const top = Math.max(most, limit) * 1.08
    const y = (value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1)
    const x = (place) => Number(((place / (values.length - 1)) * WIDTH).toFixed(1))
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", preserveAspectRatio: "none" })
    svg.setAttribute("class", most > limit ? "th-memory-line th-memory-line--over" : "th-memory-line")
    svg.setAttribute("aria-label", `${words(Math.min(...known), most)} in the last 2 hours, warning above ${limit} MB`)
    for (const stretch of stretches(values)) {
      const points = stretch.map((place) => [x(place), y(values[place])])
      const last = Math.max(LEAST, points.at(-1)[0])
      const first = Math.min(points[0][0], last - LEAST)
      points.unshift([first, points[0][1]])
      points.push([last, points.at(-1)[1]])
      svg.append(draw("polygon", { points: [[first, HEIGHT], ...points, [last, HEIGHT]].join(" ") }))
      svg.append(draw("polyline", { points: points.join(" ") }))
    }
    svg.append(draw("line", { x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit) }))
    this.replaceChildren(svg)
  }
}

// Runs of places that have values.
function stretches(values) {
  const found = []
  values.forEach((value, place) => {
    if (value === null) return
    if (place && values[place - 1] !== null) found.at(-1).push(place)
    else found.push([place])
  })
  return found
}

function words(least, most) {
  const [from, to] = [Math.round(least), Math.round(most)]
  return from === to ? `${to} MB` : `${from} to ${to} MB`
}

function draw(name, attributes) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

customElements.define("th-memory-line", MemoryLine)
