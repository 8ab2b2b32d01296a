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

const named = (passkeys) => passkeys?.map((known) => ({ ...known, id: bytes(known.id) }))

const ask = {
  async get (options) {
    const asked = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) }
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
    const asked = { ...options, user, challenge: bytes(options.challenge), excludeCredentials: named(options.excludeCredentials) }
    const made = await navigator.credentials.create({ publicKey: asked })
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

// What a page asks an authenticator counts for five minutes: of one that was open for longer the script asks for another first.
let opened = Date.now()
const freshen = (form) => new Promise((resolve, reject) => {
  const asked = new XMLHttpRequest()
  asked.open('GET', form.dataset.fresh)
  asked.responseType = 'document'
  asked.addEventListener('error', reject)
  asked.addEventListener('load', () => {
    const now = asked.response?.querySelector('form[data-fresh]')
    if (!now) return reject(asked)
    form.dataset.options = now.dataset.options
    form.elements.namedItem('challenge').value = now.elements.namedItem('challenge').value
    opened = Date.now()
    resolve()
  })
  asked.send()
})

for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const failed = document.getElementById('passkey-failed')
    failed.hidden = true
    try {
      if (form.dataset.fresh && Date.now() - opened > 240_000) await freshen(form)
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

// A session that nobody uses ends. The page warns two minutes before, and then hides what it shows: nothing of an alert stays on a screen
// that somebody left. Windows of one browser tell each other what the node told them, so a form that waits comes back, with the token of
// the new session, once the same person has signed in in another window; anybody else's sign-in takes it away.
let used = () => {}
if (document.body.dataset.who) {
  const [warning, over] = ['idle', 'idle-over'].map((id) => document.getElementById(id))
  const windows = new BroadcastChannel('session')
  const tokens = (page) => [...page.querySelectorAll('input[name=token]')]
  let until = 0
  let whole = 0
  const look = () => {
    const left = Math.ceil((until - Date.now()) / 1000)
    const ended = left <= 0
    warning.hidden = ended || left > 120
    warning.querySelector('strong').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
    if (ended !== over.hidden) return
    for (const part of document.body.children) if (part !== warning) part.hidden = ended !== (part === over)
    if (ended) over.querySelector('[role=heading]').focus()
  }
  const follow = (said) => {
    if (said.who !== document.body.dataset.who) return location.replace('/')
    if (said.until > until) ({ until, whole } = said)
    for (const field of tokens(document)) field.value = said.token
    look()
  }
  const tell = (said) => {
    windows.postMessage(said)
    follow(said)
  }
  const read = (page) => {
    const { idle, whole, who } = page.body.dataset
    const now = Date.now()
    tell({ who, until: now + 1000 * idle, whole: now + 1000 * whole, token: tokens(page)[0]?.value })
  }
  used = () => tell({
    who: document.body.dataset.who,
    until: Math.min(whole, Date.now() + 1000 * document.body.dataset.idle),
    whole,
    token: tokens(document)[0]?.value
  })
  warning.querySelector('button').addEventListener('click', () => {
    const asked = new XMLHttpRequest()
    asked.open('GET', '/you')
    asked.responseType = 'document'
    asked.addEventListener('load', () => {
      if (asked.response?.body.dataset.who) return read(asked.response)
      until = 0
      look()
    })
    asked.send()
  })
  windows.addEventListener('message', (event) => follow(event.data))
  read(document)
  setInterval(look, 1000)
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
      if (now) used()
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
