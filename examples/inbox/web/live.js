// What the desk tells: which things to fetch again. Whenever the connection stands, for the first time or after it was
// lost, everything is fetched: what happened before nobody told.

export function live(hear) {
  const source = new EventSource('/api/live');
  source.addEventListener('open', () => {
    document.body.dataset.live = 'yes';
    hear({ news: 'everything' });
  });
  source.addEventListener('error', () => {
    document.body.dataset.live = 'no';
  });
  source.addEventListener('message', (event) => hear(JSON.parse(event.data)));
}

/** Runs `work` soon, never twice at once, and once more when it was asked for meanwhile. */
export function calmly(work) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = false;
    }
  };
}
