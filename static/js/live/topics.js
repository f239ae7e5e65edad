// Topics of several watches as one subscription, and one frame as each of them needs it.

export const LISTS = ["jobs", "runspaces", "tasks"]
export const SINGLES = ["job", "output"]

function ids(topics, name) {
  const given = topics[name]
  if (given === undefined || given === null) return []
  return (Array.isArray(given) ? given : [given]).map(String)
}

/** One `subscribe` object for all watches. */
export function merge(watches) {
  const all = {}
  for (const name of [...LISTS, ...SINGLES]) {
    const wanted = new Set()
    for (const { topics } of watches) ids(topics, name).forEach((id) => wanted.add(id))
    if (wanted.size) all[name] = [...wanted].slice(0, 200)
  }
  if ([...watches].some(({ topics }) => topics.overview)) all.overview = true
  return all
}

/** Whether a frame says anything about these topics; a snapshot always does. */
export function matches(frame, topics) {
  if (frame.snapshot) return true
  const mine = part(frame, topics)
  return Object.keys(mine).some((name) => name !== "now" && name !== "snapshot")
}

/** Of a frame what these topics are about. */
export function part(frame, topics) {
  const mine = { now: frame.now, snapshot: frame.snapshot }
  for (const name of [...LISTS, ...SINGLES]) {
    const wanted = new Set(ids(topics, name))
    if (!wanted.size) continue
    const rows = Object.entries(frame[name] ?? {}).filter(([id]) => wanted.has(id))
    if (rows.length) mine[name] = Object.fromEntries(rows)
    const gone = (frame.gone?.[name] ?? []).filter((id) => wanted.has(id))
    if (gone.length) mine.gone = { ...mine.gone, [name]: gone }
    if (frame.refused?.[name]) mine.refused = { ...mine.refused, [name]: frame.refused[name] }
  }
  if (topics.overview) {
    if (frame.overview) mine.overview = frame.overview
    if (frame.refused?.overview) mine.refused = { ...mine.refused, overview: frame.refused.overview }
  }
  return mine
}

/** The same subscription as `GET live?topics=` spells it. */
export function asQuery(topics) {
  const parts = topics.overview ? ["overview"] : []
  for (const name of [...LISTS, ...SINGLES]) parts.push(...ids(topics, name).map((id) => `${name}:${id}`))
  return parts.join(",")
}
