// What a task's row looked like, in one text: the server writes the same on its pages (task_admin.py),
// so a page that is out of date can be told from one that is not.

const millis = (text) => (text ? String(Date.parse(text)) : "")

export function stampOf(row) {
  const moments = [row.last_run_at, row.next_due_at, row.last_modified].map(millis)
  return [Number(row.enabled), Number(row.is_running), row.last_status, ...moments].join("|")
}
