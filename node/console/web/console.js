// What pages gain from JavaScript; each works without it, but for the passkey itself.
import { Button, ErrorSummary, NotificationBanner, Radios, SkipLink, createAll } from './govuk-frontend.min.js'

document.body.classList.add('js-enabled', 'govuk-frontend-supported')
for (const component of [Button, ErrorSummary, NotificationBanner, Radios, SkipLink]) createAll(component)

// A link of a demonstration carries its code behind the number sign, which browsers send to nobody. The code goes into the form, and out
// of the address and the history; a person presses the button, so that a browser that only looks ahead uses nothing up.
const entrance = document.querySelector('form[data-code]')
const takeCode = () => {
  if (!/^#[A-Z2-7-]+$/.test(location.hash)) return
  entrance.elements.namedItem('code').value = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)
  entrance.querySelector('button').focus()
}
if (entrance) {
  takeCode()
  window.addEventListener('hashchange', takeCode)
}

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

const ask = {
  async get (options) {
    const allowed = options.allowCredentials?.map((known) => ({ ...known, id: bytes(known.id) }))
    const asked = { ...options, challenge: bytes(options.challenge), allowCredentials: allowed }
    const found = await navigator.credentials.get({ publicKey: asked })
    const said = found.response
    return {
      id: found.id,
      rawId: text(found.rawId),
      type: found.type,
      response: {
        authenticatorData: text(said.authenticatorData),
        clientDataJSON: text(said.clientDataJSON),
        signature: text(said.signature),
        userHandle: said.userHandle ? text(said.userHandle) : undefined
      }
    }
  },
  async create (options) {
    const user = { ...options.user, id: bytes(options.user.id) }
    const made = await navigator.credentials.create({ publicKey: { ...options, user, challenge: bytes(options.challenge) } })
    return {
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      response: {
        attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON)
      }
    }
  }
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const failed = document.getElementById('passkey-failed')
    failed.hidden = true
    try {
      const answer = await ask[form.dataset.passkey](JSON.parse(form.dataset.options))
      form.elements.namedItem('answer').value = JSON.stringify(answer)
      form.submit()
    } catch {
      failed.hidden = false
    }
  })
}

// The node says which version the inbox has; what is new is asked for by a person, by the link that this shows.
for (const news of document.querySelectorAll('[data-news]')) {
  const stream = new EventSource(news.dataset.news)
  stream.addEventListener('inbox', (event) => {
    if (event.data === news.dataset.version) return
    news.firstElementChild.hidden = false
    stream.close()
  })
}

// While somebody writes an alert the node says what each recipient would see of what is typed so far. Its answer is a page, which the
// browser parses as the answer of a request (no text is made into a page here), and only what differs is put in, so that a screen reader
// says no more than that.
for (const live of document.querySelectorAll('[data-live]')) {
  const form = document.querySelector('form[data-typed]')
  let waiting
  let asked
  const ask = () => {
    asked?.abort()
    asked = new XMLHttpRequest()
    asked.open('POST', live.dataset.live)
    asked.responseType = 'document'
    asked.addEventListener('load', (event) => {
      const now = event.target.status === 200 && event.target.response
      if (!now?.querySelector('[data-live-list]')) return
      for (const list of live.querySelectorAll('[data-live-list]')) put(list, now.querySelector(`[data-live-list="${list.dataset.liveList}"]`))
      for (const part of live.querySelectorAll('[data-live-part]')) part.hidden = now.querySelector('[data-live-part]').hidden
    })
    asked.send(new URLSearchParams(new FormData(form)))
  }
  const put = (list, now) => {
    const held = new Map([...list.children].map((row) => [row.dataset.key, row]))
    const rows = [...now.children].map((row) => {
      const before = held.get(row.dataset.key)
      return before?.textContent === row.textContent ? before : document.importNode(row, true)
    })
    for (const row of list.querySelectorAll(':scope > *')) if (!rows.includes(row)) row.remove()
    rows.forEach((row, place) => { if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null) })
  }
  const wait = () => {
    clearTimeout(waiting)
    waiting = setTimeout(ask, 700)
  }
  form.addEventListener('input', wait)
  live.addEventListener('input', wait)
}
