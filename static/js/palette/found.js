// What the palette finds for a text: pages from the list that the server has put into the page, the rest
// from the API's lists. Both hold only what this person may see.

const EACH = 5
const WIDE = 25
const RUN = /^run(\s+|$)/i

const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean)
const holds = (text, wanted) => wanted.every((word) => text.toLowerCase().includes(word))
const shortId = (id) => (/^[0-9a-f-]{36}$/.test(id) ? `…${id.slice(-12)}` : id)

export function places(text) {
  const wanted = words(text)
  return [...document.querySelectorAll("#th-places a")]
    .filter((link) => holds(link.textContent, wanted))
    .map((link) => ({ kind: "Page", title: link.textContent, address: link.href }))
}

// Answers a list for each source, in the order they are shown; one that cannot be read throws.
export const SOURCES = {
  tasks: async (text, { signal, mayRun }) => {
    const wanted = words(text.replace(RUN, ""))
    if (!wanted.length) return []
    const rows = await read(`tasks?limit=${WIDE}&search=${encodeURIComponent(wanted[0])}`, signal)
    const tasks = rows
      .filter((row) => holds(`${row.name} ${row.app} ${row.description ?? ""}`, wanted))
      .sort((a, b) => nearness(a.name, wanted) - nearness(b.name, wanted))
      .slice(0, EACH)
    const opened = tasks.map((row) => ({
      kind: "Task",
      title: row.name,
      sub: row.app || "Data folder",
      address: `/admin/tasks_app/task/${row.id}/change/`,
    }))
    const run = mayRun ? tasks.map((row) => ({ kind: "Run", title: `Run ${row.name}`, sub: row.app || "Data folder", run: row.id })) : []
    return RUN.test(text) ? run : [...opened, ...run]
  },
  jobs: async (text, { signal }) => {
    const rows = await read(`jobs?limit=${EACH}&search=${encodeURIComponent(text)}`, signal)
    return rows.map((row) => ({
      kind: "Job",
      title: row.name,
      sub: `${row.state} · ${shortId(row.id)}`,
      address: `/admin/jobs_app/job/${row.uuid}/change/`,
    }))
  },
  runspaces: async (text, { signal }) => {
    const rows = await read("runspaces?limit=200", signal)
    const wanted = words(text)
    return rows
      .filter((row) => holds(`runspace ${row.id} ${row.pool} process ${row.pid} ${row.state}`, wanted))
      .slice(0, EACH)
      .map((row) => ({
        kind: "Runspace",
        title: `Runspace ${row.id}`,
        sub: `${row.state} · ${row.pool}`,
        address: `/admin/runspaces_app/runspace/${row.id}/change/`,
      }))
  },
}

// 0 for a name that begins with the text, 1 for one that holds it, 2 if only something else does.
function nearness(name, wanted) {
  const at = name.toLowerCase().indexOf(wanted[0])
  return at === 0 ? 0 : at > 0 ? 1 : 2
}

async function read(path, signal) {
  const answer = await fetch(`/api/v1/${path}`, { credentials: "same-origin", signal })
  if (!answer.ok) throw new Error(String(answer.status))
  return (await answer.json()).results
}
