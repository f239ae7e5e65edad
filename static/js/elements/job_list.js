// <th-job-list data-rows="address">: the list of jobs; progress is written at once.

import { post } from "./api_post.js"
import { showProgress } from "./job_progress.js"
import { LiveRows } from "./live_rows.js"

class JobList extends LiveRows {
  static topic = "jobs"
  static key = "job"
  static words = ["job", "jobs"]
  static question = /^\/admin\/jobs_app\/job\/([0-9a-f-]{36})\/(stop|remove)\/$/

  move(row, told) {
    showProgress(row, told.progress)
  }

  looks(told) {
    return { ...told, progress: null }
  }

  numbers({ open, ended }) {
    return [open, ended]
  }

  async answer([, id, does], { now }) {
    await post(`/api/v1/jobs/${id}/${does === "stop" ? "cancel" : "remove"}`, now?.checked ? { now: true } : {})
    return does === "stop" ? "The job was asked to stop." : "The job is removed; its history stays."
  }
}

customElements.define("th-job-list", JobList)
