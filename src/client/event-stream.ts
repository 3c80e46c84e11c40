// Reads server-sent events from a fetched answer (WHATWG HTML, "Server-sent events"), since EventSource sends no Authorization.

export type ServerEvent = { id: string; event: string; data: string }

/** The server says something every 25 s; a longer silence means that the connection is gone and nobody told us. */
const silenceMsMax = 60_000

export async function* readEvents(body: ReadableStream<Uint8Array>, silenceMs = silenceMsMax): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  const giveUp = () => void reader.cancel().catch(() => {})
  let timer: ReturnType<typeof setTimeout> | undefined
  let rest = ''
  try {
    for (;;) {
      timer = setTimeout(giveUp, silenceMs)
      const { value, done } = await reader.read()
      clearTimeout(timer)
      if (done) return
      const blocks = (rest + value.replaceAll('\r\n', '\n')).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const event: ServerEvent = { id: '', event: 'message', data: '' }
        for (const line of block.split('\n')) {
          const found = /^(id|event|data): ?(.*)$/.exec(line)
          if (found) event[found[1] as keyof ServerEvent] = found[2]!
        }
        if (event.data !== '') yield event
      }
    }
  } finally {
    clearTimeout(timer)
    await reader.cancel().catch(() => {})
  }
}
