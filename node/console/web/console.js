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
