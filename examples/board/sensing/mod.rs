//! Sensors over time: each is looked at while somebody is subscribed to it, or as often as the configuration asks, and its subscribers hear of
//! it when it has changed by its threshold or more.
//!
//! Most sensors are files that the kernel answers at once. Those that it must ask on a slow bus (1-wire takes 750 ms, Industrial I/O as long as a
//! conversion) are read on a thread of smol's pool, one at a time, so that the thread that serves never waits for one.

pub(crate) mod aside;
pub(crate) mod history;
pub(crate) mod probe;
pub(crate) mod report;

use std::cell::{Cell, OnceCell, RefCell};
use std::time::{Duration, Instant};

use smol::Timer;
use smol::channel::{self, Receiver, Sender};
use smol::future::{or, zip};
use smol_mcp::Handle;

use crate::config::sensors::Sensor;
use crate::sources::meters::{self, METERS_MAX, Meter};
use crate::sources::root::{Lack, Root, Why};
use aside::Aside;
use probe::{Probe, Problem};

/// The URIs of sensors begin so.
pub(crate) const URI: &str = "board://sensor/";
/// How often the server is asked who is subscribed, while somebody is or has just read a sensor: who subscribes does that, too.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// The same while nobody is: a board that has nothing to do is to sleep.
const ASKED_IDLE_EVERY: Duration = Duration::from_secs(5);
/// For how long after a sensor was read somebody may still be about to subscribe.
const READ_LATELY: Duration = Duration::from_secs(60);
/// How often sensors that are missing are looked for, and new ones.
const SEARCHED_EVERY: Duration = Duration::from_secs(30);

/// The sensors of a machine.
pub(crate) struct Sensing {
    root: Root,
    config: Vec<Sensor>,
    probes: RefCell<Vec<Probe>>,
    watched: RefCell<Vec<Watched>>,
    handle: OnceCell<Handle>,
    /// Wakes the rounds of the fast sensors, and of the slow ones.
    changed: [(Sender<()>, Receiver<()>); 2],
    /// When a client read a sensor, and what then wakes the one who asks who is subscribed.
    read_at: Cell<Option<Instant>>,
    read: (Sender<()>, Receiver<()>),
    /// The one place for reading what is slow.
    pub(crate) aside: Aside,
}

impl Sensing {
    /// The sensors that the configuration names, and all others of the machine.
    pub(crate) fn new(root: Root, config: Vec<Sensor>) -> Self {
        let (probes, watched, handle) = Default::default();
        let changed = [channel::bounded(1), channel::bounded(1)];
        let (read_at, read) = (Cell::default(), channel::bounded(1));
        let aside = Aside::new();
        let this = Self { root, config, probes, watched, handle, changed, read_at, read, aside };
        this.search();
        this
    }

    /// Looks for sensors that came, and for those that were missing. It reads none. At most [`METERS_MAX`] are known.
    pub(crate) fn search(&self) {
        let mut probes = self.probes.borrow_mut();
        let mut found = meters::list(&self.root);
        // Another may have taken the place of one that is gone; and what nobody named and nobody waits for is forgotten.
        for probe in probes.iter_mut() {
            probe.meter = found.iter().find(|meter| meter.id == probe.id).cloned();
        }
        probes.retain(|probe| probe.meter.is_some() || probe.is_named() || self.is_watched(probe));
        for sensor in &self.config {
            if !probes.iter().any(|probe| probe.name == sensor.name) {
                let meter = found.iter().find(|meter| meter.id == sensor.id).cloned();
                probes.push(Probe::new(meter, Some(sensor), &sensor.id));
            }
        }
        found.retain(|meter| !probes.iter().any(|probe| probe.id == meter.id || probe.name == meter.id));
        found.sort_by(|one, other| one.id.cmp(&other.id));
        let room = METERS_MAX.saturating_sub(probes.len());
        let others = found.into_iter().take(room).map(|meter| (meter.id.clone(), meter));
        probes.extend(others.map(|(id, meter)| Probe::new(Some(meter), None, &id)));
    }

    /// The sensors' names, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.probes.borrow().iter().map(|probe| probe.name.clone()).collect()
    }

    /// What `see` gives of the sensor of this name; none where there is none.
    pub(crate) fn with<T>(&self, name: &str, see: impl FnOnce(&Probe) -> T) -> Option<T> {
        self.probes.borrow().iter().find(|probe| probe.name == name).map(see)
    }

    /// Looks at a sensor for a client.
    pub(crate) async fn read(&self, name: &str) {
        if self.read_at.replace(Some(Instant::now())).is_none_or(|at| at.elapsed() > READ_LATELY) {
            // It is awake already.
            let _ = self.read.0.try_send(());
        }
        self.look(name).await;
    }

    /// Looks at a sensor, unless it was just looked at, and tells its subscribers where it has changed.
    async fn look(&self, name: &str) {
        let Some(meter) = self.stale(name) else { return };
        let seen = if meter.is_slow() { self.look_slowly(name, meter).await } else { Some(meter.read(&self.root)) };
        let mut probes = self.probes.borrow_mut();
        if let (Some(probe), Some(seen)) = (probes.iter_mut().find(|probe| probe.name == name), seen) {
            probe.look(seen.map_err(Problem::Lack), Instant::now());
            self.tell(probe);
        }
    }

    /// Looks at sensors for as long as the server of this handle runs: the slow ones beside those that answer at once.
    pub(crate) async fn run(&self, handle: Handle) {
        let handle = self.handle.get_or_init(|| handle);
        zip(self.ask(handle), zip(self.rounds(false), self.rounds(true))).await;
    }

    // Asks again and again who is subscribed, and looks for sensors that are missing where somebody may want them.
    async fn ask(&self, handle: &Handle) {
        let mut searched = Instant::now();
        // It fails when the server has ended.
        while let Ok(uris) = handle.watched_uris().await {
            let watched: Vec<Watched> = uris.into_iter().filter_map(Watched::of).collect();
            let is_idle = watched.is_empty() && self.config.is_empty();
            let mut is_changed = *self.watched.borrow() != watched;
            self.watched.replace(watched);
            if searched.elapsed() >= SEARCHED_EVERY && !is_idle {
                self.search();
                searched = Instant::now();
                is_changed = true;
            }
            for (rounds, _) in self.changed.iter().filter(|_| is_changed) {
                // Those that were woken already look at all.
                let _ = rounds.try_send(());
            }
            let is_idle =
                self.watched.borrow().is_empty() && self.read_at.get().is_none_or(|at| at.elapsed() > READ_LATELY);
            let pause =
                async { Timer::after(if is_idle { ASKED_IDLE_EVERY } else { ASKED_EVERY }).await < Instant::now() };
            or(pause, async { self.read.1.recv().await.is_ok() }).await;
        }
    }

    // Looks at the slow sensors, or at the others, when it is time to.
    async fn rounds(&self, slow: bool) {
        loop {
            for name in self.due(slow) {
                self.look(&name).await;
            }
            let due = self.next(slow).map_or_else(Timer::never, Timer::at);
            let changed = async { self.changed[usize::from(slow)].1.recv().await.is_ok() };
            or(changed, async { due.await <= Instant::now() }).await;
        }
    }

    // Tells the subscribers of a sensor what they are owed.
    fn tell(&self, probe: &mut Probe) {
        let Some(handle) = self.handle.get().filter(|_| probe.is_owed) else { return };
        let watched = self.watched.borrow();
        let uris = watched.iter().filter(|watched| watched.name == probe.name).map(|watched| watched.uri.as_str());
        // Where its queue is full they hear of it after the next look; and where nobody is subscribed now, whoever is then, be it needlessly.
        let told: Vec<bool> = uris.map(|uri| handle.resource_updated(uri).is_ok()).collect();
        probe.is_owed = told.is_empty() || told.contains(&false);
    }

    fn is_watched(&self, probe: &Probe) -> bool {
        self.watched.borrow().iter().any(|watched| watched.name == probe.name)
    }

    // What is to be looked at now.
    fn due(&self, slow: bool) -> Vec<String> {
        let now = Instant::now();
        let probes = self.probes.borrow();
        let is_due = |probe: &&Probe| probe.due(self.is_watched(probe), now).is_some_and(|due| due <= now);
        probes.iter().filter(|probe| probe.is_slow() == slow).filter(is_due).map(|probe| probe.name.clone()).collect()
    }

    // When there will be something to look at.
    fn next(&self, slow: bool) -> Option<Instant> {
        let now = Instant::now();
        let probes = self.probes.borrow();
        let all = probes.iter().filter(|probe| probe.is_slow() == slow);
        all.filter_map(|probe| probe.due(self.is_watched(probe), now)).min()
    }

    // The sensor, if it is to be looked at.
    fn stale(&self, name: &str) -> Option<Meter> {
        let mut probes = self.probes.borrow_mut();
        let probe = probes.iter_mut().find(|probe| probe.name == name)?;
        if probe.is_fresh(Instant::now()) {
            return None;
        }
        if probe.meter.is_none() {
            probe.look(Err(Problem::Missing), Instant::now());
            self.tell(probe);
        }
        probe.meter.clone()
    }

    // Reads it on another thread. None where somebody else has done so in the meantime.
    async fn look_slowly(&self, name: &str, meter: Meter) -> Option<Result<f64, Lack>> {
        let path = meter.path().to_owned();
        let failed = |why: String| Lack::new(path, Why::Failed(why));
        let place = match self.aside.place(name).await {
            Ok(place) => place,
            Err(why) => return Some(Err(failed(why))),
        };
        self.stale(name)?;
        let root = self.root.clone();
        Some(self.aside.run(place, move || meter.read(&root)).await.unwrap_or_else(|why| Err(failed(why))))
    }
}

/// A sensor that somebody is subscribed to.
#[derive(PartialEq)]
struct Watched {
    name: String,
    /// As the client wrote it.
    uri: String,
}

impl Watched {
    fn of(uri: String) -> Option<Self> {
        Some(Self { name: name_of(&uri)?, uri })
    }
}

/// The name in the URI of a sensor, which a client may have encoded.
fn name_of(uri: &str) -> Option<String> {
    let mut rest = uri.strip_prefix(URI)?.bytes();
    let mut name = Vec::new();
    while let Some(byte) = rest.next() {
        name.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(name).ok()
}
