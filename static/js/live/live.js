// What pages ask to be kept true. Asks the API every second.

const PERIOD = 1000
const READERS = {
  job: (id) => `/api/v1/jobs/${id}`,
  output: (id) => `/api/v1/jobs/${id}/output?line=1&lines=0`,
}

class Live extends EventTarget {
  state = "polling"

  now() {
    return Date.now()
  }

  watch(topics, hear) {
    let stopped = false
    let chosen = topics
    const ask = async () => {
      if (stopped) return
      const frame = { snapshot: true }
      for (const [topic, address] of Object.entries(READERS)) {
        if (!chosen[topic]) continue
        try {
          const answer = await fetch(address(chosen[topic]))
          if (!answer.ok) continue
          const row = await answer.json()
          frame[topic] = { [chosen[topic]]: topic === "output" ? { ...row, lines: row.total_lines } : row }
        } catch {
          continue
        }
      }
      if (!stopped) hear(frame)
      setTimeout(ask, PERIOD)
    }
    ask()
    return {
      change(others) {
        chosen = others
      },
      stop() {
        stopped = true
      },
    }
  }
}

export const live = new Live()
