//! The machine's reports as tools.
//!
//! What a machine does not have is an answer like any other: a board without LEDs is no failure, and a model that is told so need not
//! try again. What is there and could not be read, or set, is a tool's error.

use std::cell::OnceCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use smol_mcp::{Call, Handle, Server, ToolError, ToolResult, WithResources, args, heapless, tools};

use crate::children::Children;
use crate::commands::{Commands, RunCommand};
use crate::config::Config;
use crate::config::units::LINES_MAX;
use crate::overview;
use crate::sensing::Sensing;
use crate::sources::leds::{Change, Level};
use crate::sources::meters::ID_BYTES_MAX;
use crate::sources::processes::{Order, SHOWN_MAX, Wanted};
use crate::sources::root::{Lack, Root, Why};
use crate::sources::{disks, host, leds, memory, network, power, processes, temperatures, watchdog};

/// Over how long the use of CPU is measured: the kernel counts in hundredths of a second, so that this tells percents.
const CPU_WATCHED: Duration = Duration::from_secs(1);
/// Processes shown where the call does not say.
const PROCESSES_DEFAULT: u8 = 10;
/// The longest name of an LED, in bytes (the kernel's `LED_MAX_NAME_SIZE`).
const LED_NAME_BYTES_MAX: usize = 64;
/// The longest name of a trigger, in bytes (the kernel's `TRIG_NAME_MAX`).
const TRIGGER_NAME_BYTES_MAX: usize = 50;

/// Lines of a unit's log that are read where the call does not say.
const LINES_DEFAULT: u16 = 50;

const _: () = assert!(LINES_MAX == 500, "the range of `UnitLog::lines` says so too");
const _: () = assert!(SHOWN_MAX == 50, "the range of `Processes::count` says so too");

args! {
    pub(crate) struct Processes {
        /// What to sort by; `memory` when absent.
        by: Option<SortBy>,
        /// How many to show; 10 when absent.
        #[range(1..=50)]
        count: Option<u8>,
        /// Whether to show their command lines too, cut and with likely secrets masked; not when absent.
        commands: Option<bool>,
    }

    pub(crate) enum SortBy {
        /// the most memory first, answered at once
        Memory,
        /// the busiest first, measured for a second
        Cpu,
    }

    pub(crate) struct OneSensor {
        /// Its name, exactly as `sensors` lists it.
        #[len(1..=64)]
        name: heapless::String<ID_BYTES_MAX>,
    }

    pub(crate) struct UnitLog {
        /// The unit's whole name, exactly as `units` lists it, such as `nginx.service`.
        #[len(1..=255)]
        unit: String,
        /// How many of the last lines; 50 when absent.
        #[range(1..=500)]
        lines: Option<u16>,
    }

    pub(crate) struct SetLed {
        /// The LED's name, exactly as `leds` lists it.
        #[len(1..=64)]
        name: heapless::String<LED_NAME_BYTES_MAX>,
        /// `true` for as bright as it can be, `false` for dark. Leave it out to give a brightness or only a trigger.
        on: Option<bool>,
        /// From 0 (dark) to the LED's greatest brightness, which `leds` tells.
        brightness: Option<u32>,
        /// What the kernel shall light it by from now on, such as `heartbeat`, `timer` or `mmc0`; `leds` lists what there is.
        /// `none` ends that.
        #[len(1..=50)]
        trigger: Option<heapless::String<TRIGGER_NAME_BYTES_MAX>>,
    }
}

/// The machine, as its files tell of it, and the way to the server itself.
pub(crate) struct Board {
    pub(crate) root: Root,
    pub(crate) config: Config,
    pub(crate) sensing: Rc<Sensing>,
    pub(crate) children: Rc<Children>,
    pub(crate) commands: Commands,
    pub(crate) handle: Rc<OnceCell<Handle>>,
}

/// The server, which tells clients from the first message on which machine it is; and what must go on beside it.
pub(crate) fn server(root: Root, mut config: Config) -> (Server<Board, WithResources>, impl Future<Output = ()>) {
    let host = host::read(&root);
    let mut machine = host.name.value().map_or("a Linux machine", String::as_str).to_owned();
    if let Some(model) = host.model.value() {
        machine = format!("{machine} ({model})");
    }
    let os = host.os.value().map_or(String::new(), |os| format!(", {os}"));
    let instructions = format!(
        "This server runs on the machine that it tells of: {machine}{os}. Its tools read how that machine is doing now, and set its LEDs; \
         begin with `overview`. \"Not on this machine\" in an answer means that the hardware or the kernel does not have it: asking again \
         won't help."
    );
    let handle = Rc::new(OnceCell::new());
    let sensing = Rc::new(Sensing::new(root.clone(), std::mem::take(&mut config.sensors)));
    let children = Rc::new(Children::new());
    let commands = Commands::new(std::mem::take(&mut config.commands));
    let (watched, buried) = (sensing.clone(), children.clone());
    let board = Board { root, config, sensing, children, commands, handle: handle.clone() };
    let server = Server::new("board", env!("CARGO_PKG_VERSION"), board);
    // It is set once, here.
    let _ = handle.set(server.handle());
    let handle = server.handle();
    let beside = async move {
        smol::future::zip(watched.run(handle), buried.bury()).await;
    };
    (server.title(machine).instructions(instructions).resources(), beside)
}

tools! {
    impl Board {
        /// The essentials of this machine in a few lines: what it is, load, memory, disks, hottest temperature, addresses.
        /// Start here; the other tools tell more of each.
        #[read_only]
        #[title("Overview")]
        async fn overview(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, Ok(overview::read(&self.root))).await
        }

        /// What machine this is: host name, board or product model, operating system, kernel, processor with its clock, time since
        /// start, load averages.
        #[read_only]
        #[title("Machine")]
        async fn host(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, Ok(host::read(&self.root))).await
        }

        /// How much memory and swap there is, is used, and is available to programs.
        #[read_only]
        #[title("Memory")]
        async fn memory(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, memory::read(&self.root)).await
        }

        /// The mounted filesystems that hold files: device, type, size, how full, whether read-only. Network shares are named but not
        /// asked how full they are.
        #[read_only]
        #[title("Disks")]
        async fn disks(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, disks::read(&self.root)).await
        }

        /// The network interfaces: state, addresses, speed or Wi-Fi signal, traffic and errors since the start; and the default routes.
        #[read_only]
        #[title("Network")]
        async fn network(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, network::read(&self.root)).await
        }

        /// The machine's own thermometers in °C, each with its critical temperature where that is known. On a Raspberry Pi also whether it
        /// is, or was, throttled or short of voltage.
        #[read_only]
        #[title("Temperatures")]
        async fn temperatures(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, temperatures::read(&self.root)).await
        }

        /// All sensors with what they measure now: temperatures, voltages, currents, powers, humidity, pressure, light, fan speeds, and raised
        /// alarms. Each has a name, by which `sensor` and the resource board://sensor/{name} tell of it alone.
        #[read_only]
        #[title("Sensors")]
        async fn sensors(&self, call: &mut Call<'_>) -> ToolResult {
            self.all_sensors(call).await
        }

        /// One sensor: what it measures now, and the least, the greatest and the mean of its last values.
        #[read_only]
        #[title("Sensor")]
        async fn sensor(&self, call: &mut Call<'_>, args: OneSensor) -> ToolResult {
            self.one_sensor(call, &args.name).await
        }

        /// The watchdogs, which restart this machine when it hangs: whether they run, after how long they do it, and whether it was one of
        /// them that caused the last start.
        #[read_only]
        #[title("Watchdog")]
        async fn watchdog(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, watchdog::read(&self.root)).await
        }

        /// What feeds this machine: batteries with how full they are, mains, USB; on a Raspberry Pi also whether its voltage is, or was, too low.
        #[read_only]
        #[title("Power")]
        async fn power(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, power::read(&self.root)).await
        }

        /// The state of the services and other systemd units that the configuration allows: whether each runs, since when, its result.
        #[read_only]
        #[scope("units")]
        #[title("Units")]
        async fn units(&self, call: &mut Call<'_>) -> ToolResult {
            self.unit_states(call).await
        }

        /// The last lines of the log (the journal) of one unit that the configuration allows, the oldest first, with likely secrets masked.
        #[read_only]
        #[scope("units")]
        #[title("Log of a unit")]
        async fn unit_log(&self, call: &mut Call<'_>, args: UnitLog) -> ToolResult {
            self.log_of_unit(call, &args.unit, args.lines.unwrap_or(LINES_DEFAULT)).await
        }

        /// The commands that `run_command` can run: the name of each, what it does, and the JSON Schema of its arguments.
        #[read_only]
        #[scope("commands")]
        #[title("Commands")]
        async fn commands(&self, call: &mut Call<'_>) -> ToolResult {
            self.list_commands(call).await
        }

        /// Runs one of the commands that `commands` lists, with arguments that fit its schema, and tells its exit status and what it wrote.
        #[destructive]
        #[open_world]
        #[scope("commands")]
        #[title("Run a command")]
        #[input_schema(RunCommand::SCHEMA)]
        async fn run_command(&self, call: &mut Call<'_>) -> ToolResult {
            self.run_one(call).await
        }

        /// The LEDs of this machine: name, brightness now and at most, what lights each, and the triggers that could.
        #[read_only]
        #[title("LEDs")]
        async fn leds(&self, call: &mut Call<'_>) -> ToolResult {
            answer(call, leds::read(&self.root)).await
        }

        /// Switches one LED of this machine on or off, sets its brightness, or lets the kernel light it by a trigger. Give `on` or
        /// `brightness`, `trigger`, or a brightness with a trigger. Without a trigger, the LED is taken from the one it has, so that it
        /// stays as set. It lasts until it is set again or the machine restarts.
        #[idempotent]
        #[scope("leds")]
        #[title("Set an LED")]
        async fn set_led(&self, call: &mut Call<'_>, args: SetLed) -> ToolResult {
            let Some(led) = self.config.leds.iter().find(|led| led.name == *args.name) else {
                let known: Vec<&str> = self.config.leds.iter().map(|led| led.name.as_str()).collect();
                return Err(format!("the configuration allows no LED {:?} to be set; it allows: {}", args.name, known.join(", ")).into());
            };
            led.who.check(call.principal()).map_err(ToolError::new)?;
            let change = Change { level: level(&args)?, trigger: args.trigger.as_deref() };
            let changed = leds::set(&self.root, &args.name, change).map_err(ToolError::new)?;
            log::info!("{changed}");
            call.reply(changed).await
        }

        /// The processes that use most memory or most CPU: number, name, use of CPU and memory, threads, state, user.
        #[read_only]
        #[title("Processes")]
        async fn processes(&self, call: &mut Call<'_>, args: Processes) -> ToolResult {
            let (root, by) = (&self.root, args.by.unwrap_or(SortBy::Memory));
            let wanted = Wanted {
                by: if by == SortBy::Cpu { Order::Cpu } else { Order::Memory },
                count: args.count.unwrap_or(PROCESSES_DEFAULT).into(),
                commands: args.commands.unwrap_or(false),
            };
            let before = processes::sample(root);
            let (Ok(before), SortBy::Cpu) = (&before, by) else {
                return answer(call, before.map(|now| processes::since_start(root, &now, wanted))).await;
            };
            smol::Timer::after(CPU_WATCHED).await;
            answer(call, processes::sample(root).map(|now| processes::compare(root, before, &now, wanted))).await
        }
    }
}

/// Answers with a report, or with what the machine lacks.
pub(crate) async fn answer(call: &mut Call<'_>, report: Result<impl Display, Lack>) -> ToolResult {
    match report {
        Ok(report) => call.reply(report).await,
        Err(lack @ Lack { why: Why::Absent | Why::Empty, .. }) => call.reply(lack).await,
        Err(lack) => Err(ToolError::new(lack)),
    }
}

/// How bright the LED shall be. Models like to give both, which is well where both say the same.
fn level(args: &SetLed) -> Result<Option<Level>, ToolError> {
    match (args.on, args.brightness) {
        (None, None) => Ok(None),
        (Some(true), None) => Ok(Some(Level::On)),
        (Some(false), None | Some(0)) => Ok(Some(Level::Off)),
        (Some(false), Some(_)) | (Some(true), Some(0)) => {
            Err("`on` and `brightness` contradict each other: give one of the two".into())
        }
        (_, Some(brightness)) => Ok(Some(Level::Value(brightness))),
    }
}
