// What the desk tells: which things to fetch again. A lost connection comes back by itself, and then everything
// is fetched.

export function live(hear) {
  const source = new EventSource('/api/live');
  let lost = false;
  source.addEventListener('open', () => {
    document.body.dataset.live = 'yes';
    if (lost) hear({ news: 'everything' });
    lost = false;
  });
  source.addEventListener('error', () => {
    document.body.dataset.live = 'no';
    lost = true;
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
