//! What can be read as a resource, and subscribed to: the sensors, and the server's own figures.

use std::time::Instant;

use serde::Serialize;
use smol_mcp::{Call, Completing, Principal, ReadResult, Reading, ToolResult, args, heapless, resources};

use crate::app::Board;
use crate::config::Who;
use crate::sensing::URI;
use crate::sensing::probe::Probe;
use crate::sensing::report::{Line, Past, Report};
use crate::sources::meters::ID_BYTES_MAX;
use crate::sources::root::{Lack, Why};
use crate::tools::answer;

args! {
    pub(crate) struct OneSensor {
        /// Its name, exactly as `sensors` lists it.
        #[len(1..=64)]
        name: heapless::String<ID_BYTES_MAX>,
    }

    pub(crate) struct SensorName {
        /// Its name, as board://sensors lists it.
        name: heapless::String<ID_BYTES_MAX>,
    }
}

resources! {
    impl Board {
        /// What this server holds now, and what has happened since it started: connections, requests, why some were refused, calls,
        /// streams, sessions. For whoever looks after it.
        #[uri("board://server/stats")]
        #[mime("text/plain")]
        #[title("Server statistics")]
        #[audience(user)]
        async fn stats(&self, call: &mut Reading<'_>) -> ReadResult {
            let handle = self.handle.get().ok_or("the server has not started")?;
            call.reply(handle.stats().await?).await
        }

        /// The sensors of this machine: the name of each, the URI by which it is read and subscribed to, what it measures, and its unit.
        #[uri("board://sensors")]
        #[mime("application/json")]
        #[title("Sensors")]
        async fn sensor_list(&self, call: &mut Reading<'_>) -> ReadResult {
            self.sensing.search();
            let names = self.sensing.names();
            let entry = |name: &String| self.sensing.with(name, |probe| may(probe, call.principal()).then(|| Entry::of(probe).json()));
            let entries: Vec<String> = names.iter().filter_map(entry).flatten().collect();
            call.reply(format_args!("[{}]", entries.join(","))).await
        }

        /// One sensor: what it measures now, how long ago that was measured, and its last values with their least, greatest and mean. Who
        /// subscribes hears of it when the value has changed by the threshold or more.
        #[uri("board://sensor/{name}")]
        #[mime("application/json")]
        #[title("Sensor")]
        #[complete(sensor_names)]
        async fn sensor_resource(&self, call: &mut Reading<'_>, args: SensorName) -> ReadResult {
            // One that is not for this caller is as good as none.
            if self.sensing.with(&args.name, |probe| may(probe, call.principal())) != Some(true) {
                return call.not_found();
            }
            self.sensing.read(&args.name).await;
            let json = self.sensing.with(&args.name, |probe| Report::of(probe, Instant::now()).json());
            call.text(&json.unwrap_or_default()).await
        }
    }
}

/// A sensor in the list of them.
#[derive(Serialize)]
struct Entry<'p> {
    name: &'p str,
    uri: String,
    quantity: &'p str,
    unit: &'p str,
    label: &'p str,
}

impl<'p> Entry<'p> {
    fn of(probe: &'p Probe) -> Self {
        let meter = probe.meter.as_ref();
        Self {
            name: &probe.name,
            uri: format!("{URI}{}", probe.name),
            quantity: meter.map_or("", |meter| meter.quantity),
            unit: meter.map_or("", |meter| meter.unit),
            label: meter.map_or("", |meter| &meter.label),
        }
    }

    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn may(probe: &Probe, principal: &Principal) -> bool {
    probe.settings.who.check(principal).is_ok()
}

/// The sensors' tools.
impl Board {
    /// Tells all sensors that the caller may read, a line each, and what the monitoring chips call an alarm.
    pub(crate) async fn all_sensors(&self, call: &mut Call<'_>) -> ToolResult {
        self.sensing.search();
        let names = self.sensor_names_for(call.principal());
        for name in &names {
            self.sensing.read(name).await;
            let line = self.sensing.with(name, |probe| Line(probe).to_string()).unwrap_or_default();
            call.print(format_args!("{line}\n")).await;
        }
        let (alarms, unknown) = self.all_alarms().await;
        for (name, is_raised) in &alarms {
            call.print(format_args!("{name}: {}\n", if *is_raised { "ALARM RAISED" } else { "no alarm" })).await;
        }
        if let Some(why) = &unknown {
            call.print(format_args!("alarms of chips on slow buses: not known ({why})\n")).await;
        }
        let is_nothing = unknown.is_none() && names.is_empty() && alarms.is_empty();
        if is_nothing {
            let places = "sys/class/thermal, no /sys/class/hwmon, no /sys/bus/iio, no /sys/bus/w1";
            return answer(call, Err::<&str, _>(Lack::new(places, Why::Absent))).await;
        }
        call.done().await
    }

    /// Tells one sensor.
    pub(crate) async fn one_sensor(&self, call: &mut Call<'_>, args: OneSensor) -> ToolResult {
        let name = args.name.as_str();
        if self.sensing.with(name, |probe| may(probe, call.principal())) != Some(true) {
            let known = self.sensor_names_for(call.principal()).join(", ");
            return Err(format!("no sensor is called {name:?}; there are: {known}").into());
        }
        self.sensing.read(name).await;
        let now = Instant::now();
        let told = self.sensing.with(name, |probe| match Past::of(probe, now) {
            Some(past) => format!("{}\n{past}", Line(probe)),
            None => Line(probe).to_string(),
        });
        call.text(&told.unwrap_or_default()).await
    }

    fn sensor_names_for(&self, principal: &Principal) -> Vec<String> {
        let mut names = self.sensing.names();
        names.retain(|name| self.sensing.with(name, |probe| may(probe, principal)) == Some(true));
        names
    }

    // Who asks is not known here: those that are not for everybody are not offered.
    async fn sensor_names(&self, call: &mut Completing<'_>) {
        for name in self.sensing.names() {
            if self.sensing.with(&name, |probe| probe.settings.who == Who::default()) == Some(true) {
                call.offer(&name).await;
            }
        }
    }
}
