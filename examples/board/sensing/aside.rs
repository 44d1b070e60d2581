//! What may take long is read on a thread of smol's pool, so that the thread that serves never waits for it: one thing at a time, and nobody waits for
//! longer than [`SLOW_MAX`].

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smol::Timer;
use smol::future::or;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use crate::app::Board;
use crate::sources::power::{self, Power};
use crate::sources::root::{Lack, Root, Why};
use crate::sources::sensors::{self, TEMPERATURE};
use crate::sources::temperatures::{self, Temperatures};

/// How long something slow may take: several times what a conversion does.
pub(crate) const SLOW_MAX: Duration = Duration::from_secs(6);

/// The one place for it.
pub(crate) struct Aside {
    place: Arc<Semaphore>,
    /// Who has it, or had it last, and since when.
    holder: RefCell<Option<(String, Instant)>>,
}

/// The right to do something slow.
pub(crate) struct Place(SemaphoreGuardArc);

impl Aside {
    /// A place that nobody has.
    pub(crate) fn new() -> Self {
        Self { place: Arc::new(Semaphore::new(1)), holder: RefCell::default() }
    }

    /// The place for what has this name.
    ///
    /// # Errors
    /// What has it takes longer than it may.
    pub(crate) async fn place(&self, name: &str) -> Result<Place, String> {
        let Some(place) = self.free().await else {
            let holder = self.holder.borrow().as_ref().map(|(name, _)| name.clone()).unwrap_or_default();
            let who = if holder == name { String::new() } else { format!(": {holder}, for which all slow ones wait") };
            return Err(format!("no answer within {} s{who}", SLOW_MAX.as_secs()));
        };
        self.holder.replace(Some((name.to_owned(), Instant::now())));
        Ok(Place(place))
    }

    /// Does it. The place is free when it has ended, also where nobody waits for it any more.
    ///
    /// # Errors
    /// It takes longer than it may.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        Place(place): Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let done = async { Ok(smol::unblock(move || (work(), drop(place)).0).await) };
        let too_slow = async {
            Timer::after(SLOW_MAX).await;
            Err(format!("no answer within {} s", SLOW_MAX.as_secs()))
        };
        or(done, too_slow).await
    }

    // The place; none where the one that has it takes longer than it may.
    async fn free(&self) -> Option<SemaphoreGuardArc> {
        loop {
            if let Some(place) = self.place.try_acquire_arc() {
                return Some(place);
            }
            let since = self.holder.borrow().as_ref().map(|(_, since)| *since)?;
            if since.elapsed() >= SLOW_MAX {
                return None;
            }
            let place = async { Some(self.place.acquire_arc().await) };
            let over = async {
                Timer::at(since + SLOW_MAX).await;
                None
            };
            if let Some(place) = or(place, over).await {
                return Some(place);
            }
        }
    }
}

/// Reports of which a part may be slow.
impl Board {
    /// All thermometers. Those that do not answer in time are told so.
    pub(crate) async fn all_temperatures(&self) -> Result<Temperatures, Lack> {
        let root = &self.root;
        if !sensors::has_slow(root, &TEMPERATURE) {
            return temperatures::read(root);
        }
        let slow = self.aside("temperatures", |root| sensors::slow_readings(root, &TEMPERATURE)).await;
        temperatures::read_with(root, |chip| match &slow {
            _ if !chip.is_slow => chip.readings(root, &TEMPERATURE).collect(),
            Ok(slow) => slow.iter().filter(|reading| reading.chip == chip.title()).cloned().collect(),
            Err(why) => chip.unread(root, &TEMPERATURE, why),
        })
    }

    /// What feeds the machine. Some batteries have their gauge on a slow bus.
    pub(crate) async fn all_power(&self) -> Result<Power, Lack> {
        if !power::is_slow(&self.root) {
            return power::read(&self.root);
        }
        let read = self.aside("power", power::read).await;
        read.unwrap_or_else(|why| Err(Lack::new(power::SUPPLIES, Why::Failed(why))))
    }

    /// What the chips call an alarm: the sensor, and whether it is raised; and why that is not known of the slow ones.
    pub(crate) async fn all_alarms(&self) -> (Vec<(String, bool)>, Option<String>) {
        let mut alarms = sensors::alarms(&self.root, false);
        if !sensors::has_slow_alarms(&self.root) {
            return (alarms, None);
        }
        match self.aside("alarms", |root| sensors::alarms(root, true)).await {
            Ok(slow) => {
                alarms.extend(slow);
                (alarms, None)
            }
            Err(why) => (alarms, Some(why)),
        }
    }

    async fn aside<T: Send + 'static>(&self, name: &str, read: fn(&Root) -> T) -> Result<T, String> {
        let place = self.sensing.aside.place(name).await?;
        let root = self.root.clone();
        self.sensing.aside.run(place, move || read(&root)).await
    }
}
